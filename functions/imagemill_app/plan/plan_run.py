"""Carries out a request up to its plan: gathers, leaves out what is done, packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from imagemill_app.plan.checked_request import checked_output
from imagemill_app.plan.documents import Plan, write_plan
from imagemill_app.plan.earlier.deleted import deleted_outputs
from imagemill_app.plan.earlier.half_done import REASON, HalfDone, half_done
from imagemill_app.plan.earlier.remaining import Work, output_test, remaining_work, sample_test
from imagemill_app.plan.earlier.stopped_runs import (
    Adopted,
    adopted_counts,
    adopted_runs,
    clear_away,
    write_parts,
)
from imagemill_app.plan.estimates import estimate
from imagemill_app.plan.pictures import Pictures, as_they_are_now, pictures_of
from imagemill_app.plan.planned_run import PlannedRun, tool_name
from imagemill_app.plan.sharding import balanced_shards
from imagemill_app.results.open_runs import OpenRun
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract import keys
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.index import Index
from imagemill_dataset.stored_index import read_index


def plan_run(
    run_id: str, started: str, request: RunRequest, settings: PlanRunSettings
) -> PlannedRun:
    """Write the shards of a run and then its plan, which is the commit; a dry run writes nothing.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    bucket = Location(f"s3://{settings.output_bucket_name}")
    output = checked_output(request, bucket)
    pictures = pictures_of(request, bucket, output)
    # what was uploaded in a window no earlier run has seen: it need not look at those that are on
    is_upload = request.window is not None
    adopted = adopted_runs(output, run_id, alone=request.alone, only_over=is_upload)
    if not request.dry_run:
        write_parts(output, adopted)
    parts = {other.part_key: other.part for other in adopted if other.part}
    index = read_index(StoreAt(output), parts)
    if is_upload:
        pictures = as_they_are_now(pictures, index)
    plan = _plan(request, output, pictures, index, adopted, settings)
    run = _planned_run(run_id, started, request, plan, settings)
    if not request.dry_run:
        clear_away(output, adopted, index)
        write_plan(OpenRun.planned(asdict(run), index), request.recipe, plan, bucket)
    return run


def _plan(
    request: RunRequest,
    output: Location,
    pictures: Pictures,
    index: Index,
    adopted: Sequence[Adopted],
    settings: PlanRunSettings,
) -> Plan:
    work = _work(request, pictures, output, index, adopted)
    resized = _half_done(request, pictures, output, index, adopted, work)
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
        work=_with_half_done(work, resized),
        refused=pictures.refused,
        ignored=pictures.ignored,
        adopted=adopted_counts(adopted, work.done),
        deleted=deleted,
        has_dataset=bool(index.shards),
        verify_source=request.verify_source,
        half_done=resized,
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
        tool=tool_name(settings.commit),
        estimate=forecast.to_document(),
    )


def _half_done(
    request: RunRequest,
    pictures: Pictures,
    output: Location,
    index: Index,
    adopted: Sequence[Adopted],
    work: Work,
) -> HalfDone:
    if request.full or request.recipe.is_packed:
        return HalfDone()
    prefix = pictures.source.prefix
    new = [item for item in work.objects if relative_key(item.key, prefix) not in index.entries]
    runs = [other.run for other in adopted if other.is_over]
    return half_done(runs, new, pictures.source, output, request.recipe)


def _with_half_done(work: Work, resized: HalfDone) -> Work:
    """The work with a reason of its own for what is half done."""
    if not resized.rows:
        return work
    count = len(resized.rows)
    reasons = {name: found - count * (name == "new") for name, found in work.reasons.items()}
    kept = {name: found for name, found in reasons.items() if found}
    return replace(work, reasons={**kept, REASON: count})


def _work(
    request: RunRequest,
    pictures: Pictures,
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
