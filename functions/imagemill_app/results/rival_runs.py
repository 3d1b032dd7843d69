"""Finds out whose results are there after runs with different recipes have written the same ones.

A run first adds its part to the index and then looks for others. Of two runs the one that looks
last sees the part of the other, and everything that both have written: one of them finds out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from imagemill_app.results.open_runs import OpenRun, writes_files
from imagemill_app.results.recorded_results import lost_results
from imagemill_app.stores import StoreAt
from imagemill_contract.index_keys import index_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.parts.merged_rows import counting_rows
from imagemill_dataset.stored_index import read_parts

# A resized picture that the edge job found to be a different one may be a rival's.
_WRITTEN = (None, Reason.DAMAGED)

# What to call a writer if more than one run may have been it.
UNKNOWN = "other runs"


@dataclass(frozen=True, slots=True)
class Rivals:
    """Runs that write different results with the same names at the same time.

    Attributes:
        open_ids: Ids of the runs that have not ended.
        claims: Results of the runs that have ended since the run was planned, by relative key.
    """

    open_ids: list[str] = field(default_factory=list)
    claims: Mapping[str, Entry] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.open_ids or self.claims)

    def writer_of(self, relative: str) -> str:
        """What to call the rival that has overwritten a result."""
        claim = self.claims.get(relative)
        if claim is not None:
            return claim.run.run_id
        return self.open_ids[0] if len(self.open_ids) == 1 else UNKNOWN


@dataclass(frozen=True, slots=True)
class Contest:
    """What was overwritten.

    Attributes:
        rows: What the index must say, by relative key.
        by: How many results of the run others have overwritten, by their ids.
        of: How many results of others the run has overwritten, by their ids.
    """

    rows: dict[str, Entry] = field(default_factory=dict)
    by: dict[str, int] = field(default_factory=dict)
    of: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by or self.of)


def rivals_of(output: Location, mine: OpenRun, others: Collection[OpenRun]) -> Rivals:
    """The rivals of a run. `others` are the open runs, read before this is called."""
    if not writes_files(mine.indexed):
        return Rivals()
    open_ids = [other.run_id for other in others if _is_rival(other.indexed, mine.indexed)]
    return Rivals(open_ids, dict(_claims(output, mine)))


def contest(
    output: Location,
    run: IndexedRun,
    entries: Mapping[str, Entry],
    planned: Collection[str],
    rivals: Rivals,
    shard_ids: Collection[str] | None = None,
) -> Contest:
    """Compare what is there with what the index says of a run's objects.

    Args:
        output: Where the runs write.
        run: The run.
        entries: What the index will say about the run's objects.
        planned: Relative keys of all objects that the run may have written.
        rivals: The other runs.
        shard_ids: The run's shards that have the objects, where that is known.
    """
    claims = {key: rivals.claims[key] for key in planned if key in rivals.claims}
    written = {
        key for key, entry in entries.items() if entry.reason in _WRITTEN and not entry.place
    }
    own = lost_results(output, run.run_id, written, shard_ids) if written else set()
    rows = {key: entries[key]._replace(reason=Reason.OVERWRITTEN) for key in own}
    others = dict(_lost_of_others(output, run, entries, claims))
    return Contest(
        rows | others,
        dict(Counter(map(rivals.writer_of, own))),
        dict(Counter(entry.run.run_id for entry in others.values())),
    )


def _lost_of_others(
    output: Location,
    run: IndexedRun,
    entries: Mapping[str, Entry],
    claims: Mapping[str, Entry],
) -> Iterator[tuple[str, Entry]]:
    """Rows of others that take precedence over the run's own, and whose results are not there."""
    counting: dict[str, dict[str, Entry]] = {}
    for key, claim in claims.items():
        if key not in entries or _order(claim.run) > _order(run):
            counting.setdefault(claim.run.run_id, {})[key] = claim
    for run_id, claimed in counting.items():
        for key in lost_results(output, run_id, claimed.keys()):
            yield key, claimed[key]._replace(reason=Reason.OVERWRITTEN)


def _claims(output: Location, mine: OpenRun) -> Iterator[tuple[str, Entry]]:
    """Results in parts of the index that were not there when a run was planned."""
    known = {*mine.index_parts, index_key(mine.indexed.started, mine.run_id)}
    store = StoreAt(output)
    new = [
        part.rows(store.read, "", None)
        for part in read_parts(store, but_for=known)
        if any(_is_new_rival(run, mine) for run in part.runs)
    ]
    for relative, entry in counting_rows(new):
        if entry.reason is None and not entry.place and _is_new_rival(entry.run, mine):
            yield relative, entry


def _is_new_rival(run: IndexedRun, mine: OpenRun) -> bool:
    return run.run_id not in mine.indexed_runs and _is_rival(run, mine.indexed)


def _is_rival(other: IndexedRun, run: IndexedRun) -> bool:
    """Whether another run makes different results with the same names."""
    if other.run_id == run.run_id or not writes_files(other):
        return False
    return (other.source, other.recipe) != (run.source, run.recipe)


def _order(run: IndexedRun) -> tuple[str, str]:
    """The order in which runs count in the index."""
    return run.started, run.run_id
