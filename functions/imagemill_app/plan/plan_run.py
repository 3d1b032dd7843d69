"""Carries out a request up to its plan, or drafts a run whose slices are planned one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from imagemill_app.collector import uncollected
from imagemill_app.labels import numbered_classes
from imagemill_app.overlay import Overlay
from imagemill_app.plan.checked_request import checked_output, request_of
from imagemill_app.plan.commit_plan import planned_run, write_commit
from imagemill_app.plan.documents import Plan, write_slice
from imagemill_app.plan.draft import Draft, DraftedRun
from imagemill_app.plan.earlier.stopped_runs import (
    Adopted,
    adopted_runs,
    clear_away,
)
from imagemill_app.plan.network.checked_model import with_digest
from imagemill_app.plan.pictures import Pictures, pictures_of
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.plan.planning import Planning
from imagemill_app.plan.sifting.classes import classes_of
from imagemill_app.plan.source.bucket_listing import first_folders
from imagemill_app.plan.source.found_documents import write_found
from imagemill_app.plan.source.key_ranges import TooManyObjectsError
from imagemill_app.plan.source.slices import KeyRange, ranges_between
from imagemill_app.plan.totals import added
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract.folder_source import no_pictures
from imagemill_contract.locations import Location
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.stored_index import StoredIndex

Document = Mapping[str, object]


@uncollected
def plan_run(
    run_id: str, started: str, document: Document, settings: PlanRunSettings
) -> PlannedRun | DraftedRun:
    """Plan a run of one slice, or draft a larger one. `document` is the execution's input.

    Of one slice it writes shards and then the plan, which is the commit; a dry run writes nothing.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    request = request_of(document, settings)
    request = replace(request, recipe=with_digest(request.recipe))
    bucket = Location(f"s3://{settings.output_bucket_name}")
    output = checked_output(request, bucket)
    found = _found(request, bucket, output, settings.slice_objects)
    adopted, index = _adopted(request, output, run_id, is_written=not request.dry_run)
    run = IndexedRun(run_id, started, str(found.source), request.recipe.to_document())
    draft = Draft(
        run=run,
        request=document,
        ranges=[],
        is_listed=False,
        source=found.source,
        output=output,
        taken_over=[other.taken_over for other in adopted],
        index_parts=index.part_keys,
        indexed_runs=sorted(index.run_ids),
        has_dataset=bool(index.shards),
        gathering=found.pieces[0].gathering if found.pieces else {},
    )
    if len(found.pieces) == 1:
        planning = Planning(request, output, index, draft.taken_over, settings)
        plan = planning.plan(found.pieces[0])
        if plan.keys == found.pieces[0].keys:
            return _planned(draft, request, planning, plan)
    if request.shards is not None:
        most = f"{settings.slice_objects:,}"
        raise RunRefused(f"shards: {request.shards} is not allowed for more than {most} objects.")
    if request.dry_run:  # other functions, too, must see what is taken over
        _adopted(request, output, run_id, is_written=True)
    return _drafted(draft, request, found)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is at a source: its pictures, or borders between them if a bucket has too many.

    `pieces` are the first ranges of keys, two at most, and `more` are the others: they are found
    while they are read.
    """

    source: Location
    pieces: Sequence[Pictures]
    more: Iterable[Pictures] = ()
    borders: Sequence[str] = ()


def _found(request: RunRequest, bucket: Location, output: Location, most_objects: int) -> _Found:
    pieces = pictures_of(request, bucket, output, most_objects)
    try:
        first = list(islice(pieces, 2))
    except TooManyObjectsError as many:
        if request.source is None:
            raise
        return _Found(request.source, [], borders=many.borders)
    if len(first) == 1 and not (first[0].objects or first[0].refused):
        raise RunRefused(no_pictures(first[0].source, first[0].ignored))
    return _Found(first[0].source, first, pieces)


def _adopted(
    request: RunRequest, output: Location, run_id: str, *, is_written: bool
) -> tuple[list[Adopted], StoredIndex]:
    """What open runs have done, and the index with it, which is written only if `is_written`."""
    store = StoreAt(output) if is_written else Overlay(StoreAt(output))
    # what was uploaded in a window no earlier run has seen: it need not look at those that are on
    is_upload = request.window is not None
    adopted = adopted_runs(output, run_id, store, alone=request.alone, only_over=is_upload)
    for other in adopted:
        if other.part:
            store.write(other.part_key, other.part)
    return adopted, StoredIndex.opened(store)


def _planned(draft: Draft, request: RunRequest, planning: Planning, plan: Plan) -> PlannedRun:
    """Commit the plan of a run that has one slice."""
    run_id, settings = draft.run.run_id, planning.settings
    totals = plan.totals(run_id, request.recipe)
    run = planned_run(draft, request, totals, settings)
    if request.dry_run:
        return run
    clear_away(draft.output, draft.taken_over, planning.index)
    numbers = {}
    if request.recipe.label_from_folder:
        numbers = numbered_classes(draft.output, plan.classes())
    write_slice(run_id, request.recipe, plan, numbers)
    write_commit(draft, run, totals, settings)
    return run


def _drafted(draft: Draft, request: RunRequest, found: _Found) -> DraftedRun:
    """Write the draft of a run of many slices."""
    run_id, output = draft.run.run_id, draft.output
    if found.pieces:
        draft, classes = _written_pieces(draft, chain(found.pieces, found.more))
    else:
        # of a limit nobody knows where it is reached before all before that is listed
        borders = [] if request.selection.limit else found.borders
        draft = replace(draft, ranges=ranges_between(borders), is_listed=True)
        # a folder counts even if there is no picture in it
        classes = set(first_folders(found.source)) if request.recipe.label_from_folder else set()
    if request.recipe.label_from_folder and not request.dry_run:
        draft = replace(draft, labels=numbered_classes(output, classes))
    draft.write()
    return DraftedRun(run_id, str(output), len(draft.ranges))


def _written_pieces(draft: Draft, pieces: Iterable[Pictures]) -> tuple[Draft, set[str]]:
    """Write what lies in each range for whoever plans it; the draft with them, and all classes.

    Raises RunRefused if there are no pictures in any.
    """
    ranges: list[KeyRange] = []
    ignored: dict[str, int] = {}
    classes: set[str] = set()
    are_any = False
    for number, piece in enumerate(pieces):
        write_found(draft.output, draft.run.run_id, number, piece.found())
        ranges.append(piece.keys)
        ignored = added(ignored, piece.ignored)
        classes |= classes_of(piece.objects, draft.source.prefix)
        are_any = are_any or bool(piece.objects or piece.refused)
    if not are_any:
        raise RunRefused(no_pictures(draft.source, ignored))
    return replace(draft, ranges=ranges, ignored=ignored), classes
