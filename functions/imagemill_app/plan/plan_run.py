"""Carries out a request up to its plan: gathers, leaves out what is done, packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from imagemill_app.ingest.inbox import sealed_uploads
from imagemill_app.plan.adoption import (
    Adopted,
    adopted_counts,
    adopted_runs,
    clear_away,
    write_parts,
)
from imagemill_app.plan.checked_request import checked_output
from imagemill_app.plan.classes import with_class
from imagemill_app.plan.deleted import deleted_outputs
from imagemill_app.plan.documents import Plan, write_plan
from imagemill_app.plan.estimates import estimate
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.plan.remaining import Work, output_test, remaining_work, sample_test
from imagemill_app.plan.sharding import Sifted, balanced_shards, without_collisions
from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.refusal import RunRefused
from imagemill_app.results.open_runs import OpenRun
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract import keys
from imagemill_contract.documents import SourceObject
from imagemill_contract.folder_source import no_pictures
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.request import RunRequest
from imagemill_dataset.index import Index
from imagemill_dataset.stored_index import read_index


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What there is at a source: what jobs can be given, and the rest."""

    source: Location
    objects: list[SourceObject]
    refused: list[Outcome]
    ignored: dict[str, int]
    all_keys: frozenset[str] | None


def plan_run(
    run_id: str, started: str, request: RunRequest, settings: PlanRunSettings
) -> PlannedRun:
    """Write the shards of a run and then its plan, which is the commit; a dry run writes nothing.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    bucket = Location(f"s3://{settings.output_bucket_name}")
    output = checked_output(request, bucket)
    pictures = _pictures(request, bucket)
    # what was uploaded in a window no earlier run has seen: it need not look at those that are on
    is_upload = request.window is not None
    adopted = adopted_runs(output, run_id, alone=request.alone, only_over=is_upload)
    if not request.dry_run:
        write_parts(output, adopted)
    parts = {other.part_key: other.part for other in adopted if other.part}
    index = read_index(StoreAt(output), parts)
    plan = _plan(request, output, pictures, index, adopted, settings)
    run = _planned_run(run_id, started, request, plan, settings)
    if not request.dry_run:
        clear_away(output, adopted, index)
        write_plan(OpenRun.planned(asdict(run), index), request.recipe, plan, bucket)
    return run


def _plan(
    request: RunRequest,
    output: Location,
    pictures: _Pictures,
    index: Index,
    adopted: Sequence[Adopted],
    settings: PlanRunSettings,
) -> Plan:
    work = _work(request, pictures, output, index, adopted)
    shards = balanced_shards(
        work.objects,
        settings.max_parallel_jobs,
        min_shard_seconds=settings.min_shard_seconds,
        count=request.shards,
    )
    deleted = {}
    if pictures.all_keys is not None:
        deleted = deleted_outputs(index.entries, pictures.source, pictures.all_keys, request.recipe)
    return Plan(
        source=pictures.source,
        output=output,
        shards=shards,
        work=work,
        refused=pictures.refused,
        ignored=pictures.ignored,
        adopted=adopted_counts(adopted, work.done),
        deleted=deleted,
        has_dataset=bool(index.shards),
    )


def _planned_run(
    run_id: str, started: str, request: RunRequest, plan: Plan, settings: PlanRunSettings
) -> PlannedRun:
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
        adopted=plan.adopted,
        deleted=len(plan.deleted),
        prune=request.prune,
        dry_run=request.dry_run,
        has_dataset=plan.has_dataset,
        alone=request.alone,
        estimate=forecast.to_document(),
    )


def _pictures(request: RunRequest, bucket: Location) -> _Pictures:
    source, listing = _gathered(request, bucket)
    sifted = _sifted(listing.objects, source, request.recipe)
    refused = [*listing.refused, *sifted.refused]
    if not sifted.kept and not refused:
        raise RunRefused(no_pictures(source, listing.ignored))
    return _Pictures(source, sifted.kept, refused, listing.ignored, listing.all_keys)


def _sifted(objects: list[SourceObject], source: Location, recipe: Recipe) -> Sifted:
    """What jobs can be given. A sample has its own key, whatever it is called; a file may not."""
    if not recipe.is_packed:
        return without_collisions(objects, recipe.format)
    if recipe.label_from_folder:
        return with_class(objects, source.prefix)
    return Sifted(objects, [])


def _work(
    request: RunRequest,
    pictures: _Pictures,
    output: Location,
    index: Index,
    adopted: Sequence[Adopted],
) -> Work:
    objects = pictures.objects
    if request.full:
        return Work(objects, {"full": len(objects)}, {})
    if request.recipe.is_packed:
        has_outputs = sample_test(output, index)
    else:
        has_outputs = output_test(output, request.recipe.format, len(objects))
    labels = {other.run.run_id: other.done_label for other in adopted}
    prefix = pictures.source.prefix
    return remaining_work(objects, prefix, request.recipe, index.entries, has_outputs, labels)


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
