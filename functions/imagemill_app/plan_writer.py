"""Carries out a request up to its plan: gathers, leaves out what is done, packs, writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from json import JSONDecodeError

from imagemill_app.estimates import estimate
from imagemill_app.inbox import sealed_uploads
from imagemill_app.incremental import (
    Work,
    deleted_sources,
    output_test,
    own_outputs,
    remaining_work,
)
from imagemill_app.index import read_index
from imagemill_app.listing import Listing, gather
from imagemill_app.planning import balanced_shards, without_collisions
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import write_bytes
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, encode_lines, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.request import RunRequest
from imagemill_dataset.index import Entry


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run whose plan is written. Travels through the state machine: pointers and counts only.

    Attributes:
        to_do: For how many objects which reason to do them holds, such as `new`.
        done: How many objects are left out as done, by `unchanged` or an earlier rejection.
        ignored: How many were left out by name or by the request, for each reason.
        deleted: Sources that an earlier run has done and that are gone.
        estimate: Time and money, as `estimates.Estimate` has them.
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
    estimate: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run is going to do, before anything of it is written."""

    source: Location
    output: Location
    shards: list[Sequence[SourceObject]]
    work: Work
    refused: list[Outcome]
    ignored: dict[str, int]
    deleted: dict[str, list[str]]


def plan_run(
    run_id: str, started: str, request: RunRequest, settings: PlanRunSettings
) -> PlannedRun:
    """Write the shards of a run and then its plan, which is the commit; a dry run writes nothing.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    bucket = Location(f"s3://{settings.output_bucket_name}")
    plan = _planned(request, bucket, settings)
    if not request.dry_run:
        _write_plan(run_id, request, plan, bucket)
    objects = sum(map(len, plan.shards))
    total_bytes = sum(item.bytes for shard in plan.shards for item in shard)
    forecast = estimate(objects, total_bytes, len(plan.shards), settings.max_parallel_jobs)
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
        estimate=forecast.to_document(),
    )


def _planned(request: RunRequest, bucket: Location, settings: PlanRunSettings) -> _Plan:
    output = _checked_output(request, bucket)
    if request.source is not None:
        _check_apart(request.source, output)
    source, listing = _gathered(request, bucket)
    unique = without_collisions(listing.objects, request.recipe.format)
    refused = [*listing.refused, *unique.refused]
    if not unique.kept and not refused:
        raise RunRefused(f'source: there are no pictures at "{source}"{_ignored_text(listing)}.')
    entries = read_index(output).entries
    work = _work(request, unique.kept, source, output, entries)
    shards = balanced_shards(
        work.objects,
        settings.max_parallel_jobs,
        min_shard_seconds=settings.min_shard_seconds,
        count=request.shards,
    )
    existing = listing.all_keys
    gone = [] if existing is None else deleted_sources(entries, source, existing)
    image_format = request.recipe.format
    deleted = {
        key: own_outputs(key, source.prefix, existing or frozenset(), image_format) for key in gone
    }
    return _Plan(source, output, shards, work, refused, listing.ignored, deleted)


def _work(
    request: RunRequest,
    objects: list[SourceObject],
    source: Location,
    output: Location,
    entries: dict[str, Entry],
) -> Work:
    if request.full:
        return Work(objects, {"full": len(objects)}, {})
    has_outputs = output_test(output, request.recipe.format, len(objects))
    return remaining_work(objects, source.prefix, request.recipe, entries, has_outputs)


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


def _write_plan(run_id: str, request: RunRequest, plan: _Plan, bucket: Location) -> None:
    _write_refused(run_id, plan.output, plan.refused)
    if plan.deleted:
        rows = ({"key": key, "outputs": outputs} for key, outputs in plan.deleted.items())
        body = encode_lines("deleted", {"run_id": run_id}, rows)
        write_bytes(plan.output, keys.deleted_key(run_id), body)
    items = []
    for index, objects in enumerate(plan.shards):
        shard_id = keys.shard_id_of(index)
        shard = Shard(run_id, shard_id, plan.source, plan.output, request.recipe, objects)
        items.append(_map_item(shard, _write_shard(shard)))
    body = json.dumps(items, ensure_ascii=False).encode()
    for place in dict.fromkeys([plan.output, bucket]):  # the Map reads its items from a bucket only
        write_bytes(place, keys.plan_key(run_id), body)


def _checked_output(request: RunRequest, bucket: Location) -> Location:
    """Where results go. The jobs may write to the stack's own bucket only, or to a folder."""
    output = request.output or bucket
    if not output.is_file and output != bucket:
        raise RunRefused(f'output: "{output}" is not allowed; it must be "{bucket}".')
    return output


def _check_apart(source: Location, output: Location) -> None:
    if source.contains(output) or output.contains(source):
        raise RunRefused(
            f'output: "{output}" and the source "{source}" must not lie in each other, '
            "or results would become sources."
        )


def _ignored_text(listing: Listing) -> str:
    parts = [f"{count} {reason}" for reason, count in listing.ignored.items()]
    return f" (left out: {', '.join(parts)})" if parts else ""


def _write_refused(run_id: str, output: Location, refused: Iterable[Outcome]) -> None:
    body = encode_outcomes({"run_id": run_id, "stage": "plan"}, refused)
    write_bytes(output, keys.refused_key(run_id), body)


def _write_shard(shard: Shard) -> str:
    return write_bytes(shard.output, keys.shard_key(shard.run_id, shard.shard_id), shard.encode())


def _map_item(shard: Shard, address: str) -> dict[str, object]:
    return {
        "run_id": shard.run_id,
        "shard_id": shard.shard_id,
        "shard": address,
        "objects": len(shard.objects),
        "bytes": shard.total_bytes,
    }


def request_of(document: object, settings: PlanRunSettings) -> RunRequest:
    """The request in an execution's input. Raises RunRefused.

    A run of uploads has the stack's own recipe: its input follows from the window alone.
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
    """Raises RunRefused for an execution name that cannot be a folder."""
    try:
        return keys.check_run_id(run_id)
    except ContractError as error:
        raise RunRefused(str(error)) from None
