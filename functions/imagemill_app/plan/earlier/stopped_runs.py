"""Takes over what runs have done that have not ended, so that it is not done again.

A run that is in fact still going on loses nothing: its own part of the index has all that it did,
and comes after what was taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import Any

from imagemill_app.results.open_runs import OpenRun, close_run, open_runs
from imagemill_app.results.rival_runs import contest, rivals_of
from imagemill_app.results.work_done import work_done
from imagemill_app.stores import exists, last_modified, list_keys, remove, remove_folder
from imagemill_contract.index_keys import adopted_index_key, adopted_leaves_stem
from imagemill_contract.keys import (
    DATASET,
    intermediate_folder,
    run_folder,
    run_journal_folder,
    stopped_key,
)
from imagemill_contract.locations import Location
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.names import is_shard_of_run
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Row
from imagemill_dataset.parts.written_part import written_part
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.stored_index import StoredIndex

# An attempt of a job lasts an hour at most and leaves something. A run that waits longer than this
# for machines goes on as before when it is taken for over.
IDLE_AFTER = timedelta(hours=3)

# By whether it is over, and whether there are more of them.
_CALLED = {
    (True, False): "the run that was stopped",
    (True, True): "runs that were stopped",
    (False, False): "a run that has not ended",
    (False, True): "runs that have not ended",
}


@dataclass(frozen=True, slots=True)
class TakenOver:
    """An open run whose work counts.

    Attributes:
        run: The run.
        is_over: Whether the run is surely over.
        is_locked_out: Whether that is known by the lock that the new run's starter holds.
    """

    run: IndexedRun
    is_over: bool
    is_locked_out: bool

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TakenOver:
        """As `asdict` has written it."""
        return cls(**{**document, "run": IndexedRun(**document["run"])})

    @property
    def done_label(self) -> str:
        """What the new run's plan calls the objects that it leaves out for this one."""
        end = "before it was stopped" if self.is_over else "which has not ended"
        return f"done by {self.run.run_id}, {end}"


@dataclass(frozen=True, slots=True)
class Adopted(TakenOver):
    """What an open run has done: its part of the index so far, or nothing."""

    part: bytes

    @property
    def part_key(self) -> str:
        return adopted_index_key(self.run.started, self.run.run_id, self.part)

    @property
    def taken_over(self) -> TakenOver:
        return TakenOver(self.run, self.is_over, self.is_locked_out)


def adopted_runs(
    output: Location, run_id: str, store: ObjectStore, *, alone: bool, only_over: bool = False
) -> list[Adopted]:
    """What each open run except `run_id` has done.

    Args:
        output: Where they write.
        run_id: The run that is planned.
        store: Takes the leaves of large parts.
        alone: Whether its starter holds the lock on the output.
        only_over: Leave out runs that may still be going on.
    """
    others = [other for other in open_runs(output) if other.run_id != run_id]
    states = ((other, *_state(output, other, alone=alone)) for other in others)
    return [
        Adopted(other.indexed, is_over, is_locked_out, _part_of(output, other, others, store))
        for other, is_over, is_locked_out in states
        if is_over or not only_over
    ]


def adopted_counts(taken_over: Iterable[TakenOver], done: Mapping[str, int]) -> dict[str, int]:
    """How many objects are left out as done by which kind of run; `done` is by their labels."""
    counts: dict[bool, list[int]] = {True: [], False: []}
    for other in taken_over:
        if count := done.get(other.done_label, 0):
            counts[other.is_over].append(count)
    return {
        _CALLED[is_over, len(found) > 1]: sum(found) for is_over, found in counts.items() if found
    }


def clear_away(output: Location, taken_over: Iterable[TakenOver], index: StoredIndex) -> None:
    """Close the runs that are over. `index` has what they have done.

    Removes what runs that were locked out have left and nobody needs any more.
    """
    for other in taken_over:
        if other.is_locked_out:
            _remove_leftovers(output, other.run.run_id, index)
        if other.is_over:
            close_run(output, other.run.run_id)


def _state(output: Location, other: OpenRun, *, alone: bool) -> tuple[bool, bool]:
    """Whether a run is surely over, and whether that is known by the lock."""
    is_locked_out = alone and bool(other.run["alone"])
    is_over = is_locked_out or exists(output, stopped_key(other.run_id))
    return is_over or _is_idle(output, other.run_id), is_locked_out


def _is_idle(output: Location, run_id: str) -> bool:
    folders = (run_folder(run_id), run_journal_folder(run_id))
    times = [time for folder in folders if (time := last_modified(output, folder))]
    return not times or datetime.now(UTC) - max(times) > IDLE_AFTER


def _part_of(
    output: Location, other: OpenRun, others: Sequence[OpenRun], store: ObjectStore
) -> bytes:
    """What a run has done, and what it has overwritten of others or they of it."""
    run = other.indexed
    shards: dict[str, DatasetShard] = {}
    rows = _rows(output, other, others, shards)
    if run.recipe.get("shuffle"):  # its shards have no order
        rows = iter(sorted(rows, key=itemgetter(0)))
    first = next(rows, None)
    if first is None:
        return b""
    stem = adopted_leaves_stem(run.started, run.run_id)
    return written_part(store, stem, chain([first], rows), shards)


def _rows(
    output: Location, other: OpenRun, others: Sequence[OpenRun], shards: dict[str, DatasetShard]
) -> Iterator[Row]:
    """Rows in the order of shards; `shards` gets the dataset shards that they name before them."""
    rivals = rivals_of(output, other, others)
    for done in work_done(output, other.indexed):
        entries = dict(done.entries)
        if rivals:
            planned = set(done.planned)
            found = contest(output, other.indexed, entries, planned, rivals, done.shard_ids)
            entries.update(found.rows)
        shards.update((shard.key, shard) for shard in done.dataset_shards)
        yield from sorted(entries.items(), key=itemgetter(0))


def _remove_leftovers(output: Location, run_id: str, index: StoredIndex) -> None:
    for folder in (intermediate_folder(run_id), run_journal_folder(run_id)):
        remove_folder(output, folder, list_keys(output, folder))
    named = index.shards
    unnamed = [
        key
        for key in list_keys(output, DATASET)
        if is_shard_of_run(key, run_id) and key not in named
    ]
    remove(output, unnamed)
