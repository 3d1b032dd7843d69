"""Commits the plan of a run, after all of its slices are planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from imagemill_app.plan.checked_request import check_cost
from imagemill_app.plan.documents import write_plan
from imagemill_app.plan.draft import Draft, drafted_request, read_draft
from imagemill_app.plan.earlier.stopped_runs import adopted_counts, clear_away
from imagemill_app.plan.estimates import estimate
from imagemill_app.plan.planned_run import PlannedRun, tool_name
from imagemill_app.plan.sifting.copies_between import copies_between
from imagemill_app.plan.sifting.copies_left_out import without_copies_between
from imagemill_app.plan.source.slices import slice_number
from imagemill_app.plan.totals import PlanTotals, read_totals
from imagemill_app.refusal import RunRefused
from imagemill_app.results.drafts import remove_draft
from imagemill_app.results.open_runs import OpenRun
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract import keys
from imagemill_contract.folder_source import no_pictures
from imagemill_contract.keys import stages_of
from imagemill_contract.locations import Location
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.stored_index import StoredIndex


def commit_plan(run_id: str, output: Location, settings: PlanRunSettings) -> PlannedRun:
    """Add up the slices of a drafted run and write its plan, which is the commit.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    draft = read_draft(run_id, output)
    request = drafted_request(draft, settings)
    totals, numbers = _totals(draft)
    if request.recipe.drop_duplicates:
        copies = copies_between(output, run_id, numbers, draft.source)
        totals = without_copies_between(totals, copies, output, run_id, dry_run=request.dry_run)
    if draft.is_listed and not (totals.objects or totals.refused or any(totals.done.values())):
        raise RunRefused(no_pictures(draft.source, totals.ignored))
    run = planned_run(draft, request, totals, settings)
    if request.dry_run:
        remove_draft(output, run_id)
    else:
        clear_away(output, draft.taken_over, StoredIndex.opened(StoreAt(output)))
        write_commit(draft, run, totals, settings)
    return run


def write_commit(
    draft: Draft, run: PlannedRun, totals: PlanTotals, settings: PlanRunSettings
) -> None:
    """Write the plan of a run whose slices are written."""
    known = frozenset(draft.index_parts), frozenset(draft.indexed_runs)
    bucket = Location(f"s3://{settings.output_bucket_name}")
    write_plan(OpenRun(asdict(run), *known), draft.output, totals, bucket)


def planned_run(
    draft: Draft, request: RunRequest, totals: PlanTotals, settings: PlanRunSettings
) -> PlannedRun:
    """A run with these totals. Raises RunRefused if it would cost more than is allowed."""
    run = draft.run
    forecast = estimate(
        totals.objects,
        totals.bytes,
        len(totals.items),
        settings.max_parallel_jobs,
        packed=request.recipe.is_packed,
        stages=stages_of(request.recipe),
        sizes=len(request.recipe.in_sizes()),
    )
    check_cost(forecast.total_dollars, request.max_cost, settings.max_run_dollars)
    return PlannedRun(
        run_id=run.run_id,
        started=run.started,
        source=run.source,
        output=str(draft.output),
        recipe=dict(run.recipe),
        items_key=keys.plan_key(run.run_id),
        map_results_prefix=keys.map_results_prefix(run.run_id),
        shards=len(totals.items),
        objects=totals.objects,
        refused=totals.refused,
        bytes=totals.bytes,
        to_do=dict(totals.to_do),
        done=dict(totals.done),
        ignored=dict(totals.ignored),
        adopted=adopted_counts(draft.taken_over, totals.done),
        deleted=totals.deleted,
        prune=request.prune,
        dry_run=request.dry_run,
        has_dataset=draft.has_dataset,
        alone=request.alone,
        tool=tool_name(settings.commit),
        estimate=forecast.to_document(),
        slices=totals.slices,
        planning=totals.functions,
        gathering=draft.gathering,
    )


def _totals(draft: Draft) -> tuple[PlanTotals, list[int]]:
    """The totals of all slices together, and the numbers of these."""
    totals, numbers = PlanTotals(ignored=draft.ignored), list[int]()
    for place in range(len(draft.ranges)):
        for number, part in _of_range(draft, place):
            numbers.append(number)
            totals = totals.plus(part)
    return totals, numbers


def _of_range(draft: Draft, place: int) -> Iterator[tuple[int, PlanTotals]]:
    """Totals of the slices of a range, in order. Raises FileNotFoundError if one is missing."""
    part, count = PlanTotals(is_last=False), 0
    while not part.is_last:
        number = slice_number(place, count)
        part = read_totals(draft.output, draft.run.run_id, number)
        count += 1
        yield number, part
