"""Plans one slice of a drafted run, and says where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagemill_app.collector import uncollected
from imagemill_app.plan.documents import write_slice
from imagemill_app.plan.draft import Draft, drafted_request, read_draft
from imagemill_app.plan.pictures import Pictures, pictures_in
from imagemill_app.plan.planning import Planning
from imagemill_app.plan.sifting.copies_between import write_candidates
from imagemill_app.plan.source.found_documents import read_found
from imagemill_app.plan.source.slices import KeyRange, list_slice, slice_number
from imagemill_app.plan.totals import write_totals
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import StoreAt
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.stored_index import StoredIndex


@dataclass(frozen=True, slots=True)
class SliceStep:
    """Which slice is planned next, as it travels through the state machine.

    Attributes:
        range: The number of the range that it is part of.
        count: How many slices of the range are planned already.
        after: The last key of these, or "".
        kept: How many objects of theirs count for the request's limit.
        is_last: Whether there is no next slice.
    """

    range: int
    count: int = 0
    after: str = ""
    kept: int = 0
    is_last: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SliceStep:
        """As `asdict` has written it; only `range` must be there."""
        return cls(**document)


@uncollected
def plan_slice(
    run_id: str,
    output: Location,
    step: SliceStep,
    settings: PlanRunSettings,
    used: Callable[[], LambdaUsage] = LambdaUsage,
) -> SliceStep:
    """Plan a slice and return the next step. Of a dry run only the totals are written."""
    draft = read_draft(run_id, output)
    request = drafted_request(draft, settings)
    index = StoredIndex.opened(StoreAt(output))
    slices = max(len(draft.ranges), 1)
    planning = Planning(request, output, index, draft.taken_over, settings, slices, is_sliced=True)
    found = _found(draft, request, step, settings.slice_objects)
    number = slice_number(step.range, step.count)
    plan = planning.plan(found.pictures, number)
    is_cut = plan.keys != found.pictures.keys
    is_last = found.is_last and not is_cut
    if is_cut and draft.is_listed:  # count what is left out in this part of the slice alone
        part = list_slice(request, draft.source, plan.keys, step.kept, settings.slice_objects)
        plan = replace(plan, ignored=part.listing.ignored)
    if not request.dry_run:
        write_slice(run_id, request.recipe, plan, draft.labels)
    write_candidates(output, run_id, number, plan.candidates)
    totals = plan.totals(run_id, request.recipe)
    totals = replace(totals, is_last=is_last, functions=used().to_document())
    write_totals(output, run_id, number, totals)
    kept = step.kept + len(found.selected_keys[plan.keys.places_in(found.selected_keys)])
    return SliceStep(step.range, step.count + 1, plan.keys.until or "", kept, is_last)


@dataclass(frozen=True, slots=True)
class _Found:
    pictures: Pictures
    selected_keys: list[str]
    is_last: bool


def _found(draft: Draft, request: RunRequest, step: SliceStep, most_objects: int) -> _Found:
    """The pictures of a slice, listed or from their document."""
    of_range = draft.ranges[step.range]
    keys = KeyRange(step.after or of_range.after, of_range.until)
    if draft.is_listed:
        found = list_slice(request, draft.source, keys, step.kept, most_objects)
        pictures = pictures_in(request, draft.source, draft.output, found)
        return _Found(pictures, [item.key for item in found.listing.objects], found.is_last)
    objects = read_found(draft.output, draft.run.run_id, step.range).within(keys)
    existing = None
    if objects.other_keys is not None:
        existing = frozenset([*(item.key for item in objects.objects), *objects.other_keys])
    pictures = Pictures(
        draft.source, list(objects.objects), list(objects.refused), {}, existing, keys
    )
    return _Found(pictures, [], is_last=True)
