"""Turns a request into a plan: gathers objects, leaves out what is done, cuts the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from json import JSONDecodeError

from imagemill_app.ingest.inbox import sealed_uploads
from imagemill_app.plan.classes import with_class
from imagemill_app.plan.documents import Plan, write_plan
from imagemill_app.plan.estimates import estimate
from imagemill_app.plan.remaining import (
    Work,
    deleted_outputs,
    output_test,
    remaining_work,
    sample_test,
)
from imagemill_app.plan.sharding import Sifted, balanced_shards, without_collisions
from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract import keys
from imagemill_contract.documents import SourceObject
from imagemill_contract.errors import ContractError
from imagemill_contract.folder_source import no_pictures
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.request import RunRequest
from imagemill_dataset.index import Index
from imagemill_dataset.stored_index import read_index


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run whose plan is written. It travels through the state machine: pointers and counts only.

    Attributes:
        to_do: How many objects are to be done, by reason, such as `new`.
        done: How many objects are left out as done, by reason, such as `unchanged`.
        ignored: How many objects the request or their names leave out, by reason.
        deleted: How many sources are gone that an earlier run has done.
        has_dataset: Whether earlier runs have packed results at the output.
        estimate: The document of `estimates.Estimate`.
    """

    run_id: str
    started: str
    source: str
    output: str
    recipe: dict[str, object]
    items_key: str
    map_results_prefix: str
    shards: int
    objects: int
    refused: int
    bytes: int
    to_do: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    deleted: int = 0
    prune: bool = False
    dry_run: bool = False
    has_dataset: bool = False
    estimate: dict[str, object] = field(default_factory=dict)


def plan_run(
    run_id: str, started: str, request: RunRequest, settings: PlanRunSettings
) -> PlannedRun:
    """Write the shards of a run, and then its plan, which is the commit. A dry run writes nothing.

    Raises RunRefused with one sentence if there is nothing to run.
    """
    bucket = Location(f"s3://{settings.output_bucket_name}")
    plan = _planned(request, bucket, settings)
    if not request.dry_run:
        write_plan(run_id, request.recipe, plan, bucket)
    objects = sum(map(len, plan.shards))
    total_bytes = sum(item.bytes for shard in plan.shards for item in shard)
    forecast = estimate(
        objects,
        total_bytes,
        len(plan.shards),
        settings.max_parallel_jobs,
        packed=request.recipe.is_packed,
    )
    return PlannedRun(
        run_id=run_id,
        started=started,
        source=str(plan.source),
        output=str(plan.output),
        recipe=request.recipe.to_document(),
        items_key=keys.plan_key(run_id),
        map_results_prefix=keys.map_results_prefix(run_id),
        shards=len(plan.shards),
        objects=objects,
        refused=len(plan.refused),
        bytes=total_bytes,
        to_do=plan.work.reasons,
        done=plan.work.done,
        ignored=plan.ignored,
        deleted=len(plan.deleted),
        prune=request.prune,
        dry_run=request.dry_run,
        has_dataset=plan.has_dataset,
        estimate=forecast.to_document(),
    )


def _planned(request: RunRequest, bucket: Location, settings: PlanRunSettings) -> Plan:
    output = _checked_output(request, bucket)
    if request.source is not None:
        _check_apart(request.source, output)
    source, listing = _gathered(request, bucket)
    sifted = _sifted(listing.objects, source, request.recipe)
    refused = [*listing.refused, *sifted.refused]
    if not sifted.kept and not refused:
        raise RunRefused(no_pictures(source, listing.ignored))
    index = read_index(StoreAt(output))
    work = _work(request, sifted.kept, source, output, index)
    shards = balanced_shards(
        work.objects,
        settings.max_parallel_jobs,
        min_shard_seconds=settings.min_shard_seconds,
        count=request.shards,
    )
    existing = listing.all_keys
    deleted = {}
    if existing is not None:
        deleted = deleted_outputs(index.entries, source, existing, request.recipe)
    has_dataset = bool(index.shards)
    return Plan(source, output, shards, work, refused, listing.ignored, deleted, has_dataset)


def _sifted(objects: list[SourceObject], source: Location, recipe: Recipe) -> Sifted:
    """What jobs can be given. Output files may collide; samples never do."""
    if not recipe.is_packed:
        return without_collisions(objects, recipe.format)
    if recipe.label_from_folder:
        return with_class(objects, source.prefix)
    return Sifted(objects, [])


def _work(
    request: RunRequest,
    objects: list[SourceObject],
    source: Location,
    output: Location,
    index: Index,
) -> Work:
    if request.full:
        return Work(objects, {"full": len(objects)}, {})
    if request.recipe.is_packed:
        has_outputs = sample_test(output, index)
    else:
        has_outputs = output_test(output, request.recipe.format, len(objects))
    return remaining_work(objects, source.prefix, request.recipe, index.entries, has_outputs)


def _gathered(request: RunRequest, bucket: Location) -> tuple[Location, Listing]:
    if request.source is not None:
        return request.source, gather(request, request.source)
    if request.window is None:
        raise RunRefused("source: there is none.")
    uploads = sealed_uploads(bucket, request.window)
    if uploads is None:
        raise RunRefused(f'window: nothing was uploaded in "{request.window.name}".')
    listing = Listing(objects=uploads.objects)
    if uploads.duplicates:
        listing.ignored["events of the same object"] = uploads.duplicates
    return uploads.source, listing


def _checked_output(request: RunRequest, bucket: Location) -> Location:
    """Where results go. Jobs may only write to the stack's own bucket, or to a folder."""
    output = request.output or bucket
    if not output.is_file and output != bucket:
        raise RunRefused(f'output: "{output}" is not allowed; it must be "{bucket}".')
    return output


def _check_apart(source: Location, output: Location) -> None:
    if source.contains(output) or output.contains(source):
        raise RunRefused(
            f'output: "{output}" and the source "{source}" must not contain each other: '
            "results would become sources."
        )


def request_of(document: object, settings: PlanRunSettings) -> RunRequest:
    """The request in an execution's input. Raises RunRefused.

    A run of uploads has the stack's own recipe, because its input depends on the window alone.
    """
    try:
        request = RunRequest.from_document(document, allow_files=settings.allow_file_uris)
        if request.window is None:
            return request
        recipe = json.loads(settings.upload_recipe)
        return replace(request, recipe=Recipe.from_document(recipe, "UploadRecipe"))
    except ContractError as error:
        raise RunRefused(str(error)) from None
    except JSONDecodeError:
        raise RunRefused(f"UploadRecipe: {settings.upload_recipe!r} is not JSON.") from None


def checked_run_id(run_id: str) -> str:
    """The `run_id` itself. Raises RunRefused if it cannot be the name of a folder."""
    try:
        return keys.check_run_id(run_id)
    except ContractError as error:
        raise RunRefused(str(error)) from None
