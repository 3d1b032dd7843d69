"""What is still to be done, and for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from imagemill_app.plan.earlier.recipe_change import change_of
from imagemill_app.stores import StoreAt, exists, keys_between, list_lengths
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import (
    DATASET,
    output_extension,
    output_keys,
    recipes_of,
    relative_key,
    stage_folder,
    stages_of,
)
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.output_names import keeps_its_name
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry
from imagemill_dataset.reasons import GIVEN_UP, NEVER_GIVEN, PASSING
from imagemill_dataset.stored_index import StoredIndex

MAX_ASKED_FOR = 100  # asking for so many outputs one by one is cheaper than listing all
_MOST_EXTENSION_BYTES = 5  # .webp

UNCHANGED = "unchanged"
RETRIED = "retry of rejected"
REJECTED_BEFORE = "rejected by an earlier run"
_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Work:
    """Which of the given objects a run has to do.

    Attributes:
        objects: What is to be done, in the order given.
        reasons: How many objects are to be done, by reason, such as `new` or `changed`.
        done: How many objects are left out, by reason: unchanged, or rejected before.
    """

    objects: list[SourceObject]
    reasons: dict[str, int]
    done: dict[str, int]


def remaining_work(
    objects: Iterable[SourceObject],
    prefix: str,
    recipe: Recipe,
    entries: Mapping[str, Entry],
    has_outputs: Callable[[str], bool],
    labels: Mapping[str, str] = _NO_LABELS,
    *,
    retry: bool = False,
    why: dict[str, str] | None = None,
) -> Work:
    """Leave out what an earlier run has done with the same bytes (by ETag) and the same recipe.

    `has_outputs` says whether all outputs of a relative key are there; `labels` what to call the
    objects that certain runs have done, by the runs' ids, instead of `unchanged`. With `retry` what
    was rejected for good is done again, too. `why` is given the reason of each object by its key.
    """
    kept: list[SourceObject] = []
    reasons: list[str] = []  # of each that is kept
    done: list[str] = []  # of each that is left out
    current = recipe.to_document()

    @cache
    def recipe_change(run_id: str) -> str:
        return change_of(recipes[run_id], current)

    recipes = {entry.run.run_id: entry.run.recipe for entry in entries.values()}
    for item in objects:
        relative = relative_key(item.key, prefix)
        entry = entries.get(relative)
        reason = _redo_reason(item, entry, recipe_change)
        if reason is None and retry and entry is not None and entry.reason:
            reason = RETRIED
        if reason is None and entry is not None and entry.reason:
            label = REJECTED_BEFORE
            done.append(label)
        elif reason is None and has_outputs(relative):
            run_id = entry.run.run_id if entry else ""
            label = labels.get(run_id, UNCHANGED)
            done.append(label)
        else:
            label = reason or "output missing"
            reasons.append(label)
            kept.append(item)
        if why is not None:
            why[item.key] = label
    return Work(kept, dict(Counter(reasons)), dict(Counter(done)))


def output_test(
    output: Location, recipe: Recipe, relatives: Sequence[str]
) -> Callable[[str], bool]:
    """A function that says whether all outputs of one of some relative keys are there."""

    def asked(relative: str) -> bool:
        return all(
            exists(output, key)
            for stage in stages_of(recipe)
            for key in output_keys(stage, relative, recipe)
        )

    if len(relatives) <= MAX_ASKED_FOR:
        return asked
    results = [(stage, it) for stage in stages_of(recipe) for it in recipes_of(stage, recipe)]

    @cache
    def complete() -> frozenset[str]:  # only when an object is asked for at all
        names = [name for name in relatives if keeps_its_name(name, _MOST_EXTENSION_BYTES)]
        for stage, of_size in results:
            folder, end = stage_folder(stage, of_size), output_extension(stage, recipe)
            # as `output_key` has it, of names that need no change
            keys = [folder + name + ("" if name.endswith(end) else end) for name in names]
            found = set(keys_between(output, folder, min(keys), max(keys))) if keys else set()
            names = [name for name, key in zip(names, keys, strict=True) if key in found]
        return frozenset(names)

    def is_listed(relative: str) -> bool:
        if relative in complete():
            return True
        # outputs whose names were changed may lie far from those of their neighbours
        return not keeps_its_name(relative, _MOST_EXTENSION_BYTES) and asked(relative)

    return is_listed


def sample_test(
    output: Location, index: StoredIndex, entries: Mapping[str, Entry]
) -> Callable[[str], bool]:
    """A function that says whether the dataset shard with the sample of an entry's object is whole.

    A sample whose shard is missing may have moved since the index was read, by a compaction: then
    the index is read again.
    """

    @cache
    def whole() -> frozenset[str]:  # only when an object is asked for at all
        return _whole_shards(output, index)

    @cache
    def moved() -> Mapping[str, Entry]:
        lost = [key for key, it in entries.items() if it.place and it.place.shard not in whole()]
        again = StoredIndex.opened(StoreAt(output))
        found, are_whole = again.rows_of(sorted(lost)), _whole_shards(output, again)
        return {key: it for key, it in found.items() if it.place and it.place.shard in are_whole}

    def is_packed(relative: str) -> bool:
        entry = entries.get(relative)
        if entry is None or entry.place is None:
            return False
        if entry.place.shard in whole():
            return True
        found = moved().get(relative)
        return found is not None and entry._replace(place=found.place) == found

    return is_packed


def _whole_shards(output: Location, index: StoredIndex) -> frozenset[str]:
    """Dataset shards that are there and have their length."""
    found = list_lengths(output, DATASET)
    return frozenset(key for key, shard in index.shards.items() if found.get(key) == shard.bytes)


def _redo_reason(
    item: SourceObject, entry: Entry | None, recipe_change: Callable[[str], str]
) -> str | None:
    if entry is None or entry.reason in NEVER_GIVEN:
        return "new"
    if entry.etag != item.etag:
        return "changed"
    change = recipe_change(entry.run.run_id)
    if change or entry.columns != item.columns:
        return change or "columns changed"
    if entry.reason is Reason.OVERWRITTEN:
        return "overwritten by another run"
    if entry.reason in PASSING:
        return RETRIED
    if entry.reason in GIVEN_UP:
        return "retry of failed"
    return None
