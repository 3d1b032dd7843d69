"""Takes over what runs have done that have not ended, so that it is not done again.

A run that is in fact still going on loses nothing: its own part of the index has all that it did,
and comes after what was taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imagemill_app.results.open_runs import OpenRun, close_run, open_runs
from imagemill_app.results.planned_shards import planned_keys
from imagemill_app.results.rival_runs import contest, rivals_of
from imagemill_app.results.work_done import work_done
from imagemill_app.stores import last_modified, list_keys, remove, remove_folder, write_bytes
from imagemill_contract.index_keys import adopted_index_key
from imagemill_contract.keys import DATASET, intermediate_folder, run_folder, run_journal_folder
from imagemill_contract.locations import Location
from imagemill_dataset.index import Index, IndexedRun, encode_part
from imagemill_dataset.names import is_shard_of_run

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
class Adopted:
    """What an open run has done.

    Attributes:
        run: The run.
        part: Its part of the index so far; empty when there is nothing to take over.
        is_over: Whether the run is surely over.
        is_locked_out: Whether that is known by the lock that the new run's starter holds.
    """

    run: IndexedRun
    part: bytes
    is_over: bool
    is_locked_out: bool

    @property
    def part_key(self) -> str:
        return adopted_index_key(self.run.started, self.run.run_id, self.part)

    @property
    def done_label(self) -> str:
        """What the new run's plan calls the objects that it leaves out for this one."""
        end = "before it was stopped" if self.is_over else "which has not ended"
        return f"done by {self.run.run_id}, {end}"


def adopted_runs(
    output: Location, run_id: str, *, alone: bool, only_over: bool = False
) -> list[Adopted]:
    """What each open run except `run_id` has done.

    Args:
        output: Where they write.
        run_id: The run that is planned.
        alone: Whether its starter holds the lock on the output.
        only_over: Leave out runs that may still be going on.
    """
    others = [other for other in open_runs(output) if other.run_id != run_id]
    states = ((other, *_state(output, other, alone=alone)) for other in others)
    return [
        Adopted(other.indexed, _part_of(output, other, others), is_over, is_locked_out)
        for other, is_over, is_locked_out in states
        if is_over or not only_over
    ]


def adopted_counts(adopted: Iterable[Adopted], done: Mapping[str, int]) -> dict[str, int]:
    """How many objects are left out as done by which kind of run; `done` is by their labels."""
    counts: dict[bool, list[int]] = {True: [], False: []}
    for other in adopted:
        if count := done.get(other.done_label, 0):
            counts[other.is_over].append(count)
    return {
        _CALLED[is_over, len(found) > 1]: sum(found) for is_over, found in counts.items() if found
    }


def write_parts(output: Location, adopted: Iterable[Adopted]) -> None:
    """Write their parts of the index."""
    for other in adopted:
        if other.part:
            write_bytes(output, other.part_key, other.part)


def clear_away(output: Location, adopted: Iterable[Adopted], index: Index) -> None:
    """Close the runs that are over. `index` has what they have done.

    Removes what runs that were locked out have left and nobody needs any more.
    """
    for other in adopted:
        if other.is_locked_out:
            _remove_leftovers(output, other.run.run_id, index)
        if other.is_over:
            close_run(output, other.run.run_id)


def _state(output: Location, other: OpenRun, *, alone: bool) -> tuple[bool, bool]:
    """Whether a run is surely over, and whether that is known by the lock."""
    is_locked_out = alone and bool(other.run["alone"])
    return is_locked_out or _is_idle(output, other.run_id), is_locked_out


def _is_idle(output: Location, run_id: str) -> bool:
    folders = (run_folder(run_id), run_journal_folder(run_id))
    times = [time for folder in folders if (time := last_modified(output, folder))]
    return not times or datetime.now(UTC) - max(times) > IDLE_AFTER


def _part_of(output: Location, other: OpenRun, others: Sequence[OpenRun]) -> bytes:
    """What a run has done, and what it has overwritten of others or they of it."""
    run = other.indexed
    done = work_done(output, run)
    rivals = rivals_of(output, other, others)
    if rivals:
        planned = planned_keys(output, run.run_id)
        done.entries.update(contest(output, run, done.entries, planned, rivals).rows)
    return encode_part(done.entries, done.dataset_shards) if done.entries else b""


def _remove_leftovers(output: Location, run_id: str, index: Index) -> None:
    for folder in (intermediate_folder(run_id), run_journal_folder(run_id)):
        remove_folder(output, folder, list_keys(output, folder))
    unnamed = [
        key
        for key in list_keys(output, DATASET)
        if is_shard_of_run(key, run_id) and key not in index.shards
    ]
    remove(output, unnamed)
