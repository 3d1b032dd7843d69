"""The part of the index that a run adds: written when it ends, and corrected if it has rivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.slice_results import SliceResults, empty_tally
from imagemill_app.aggregate.slice_tally import SliceTally, read_tally
from imagemill_app.overlay import Overlay
from imagemill_app.results.open_runs import indexed_run
from imagemill_app.results.packed_samples import check_lengths
from imagemill_app.results.planned_shards import shard_ids_of_slice
from imagemill_app.results.rival_runs import Contest, Rivals, contest
from imagemill_app.stores import StoreAt
from imagemill_contract.index_keys import index_key, leaves_stem
from imagemill_contract.locations import Location
from imagemill_dataset.index import IndexedRun, rows_in
from imagemill_dataset.parts.leaf_rows import rows_in_leaf
from imagemill_dataset.parts.part import Leaf, leaves_document
from imagemill_dataset.parts.written_part import INLINE_ROWS, written_leaves, written_part
from imagemill_dataset.tables.drafts import Drafts


@dataclass(slots=True)
class RunPart:
    """What a run has added to the index.

    Attributes:
        run: The run as the index names it.
        output: Where it writes.
        tally: What became of all its slices.
        drafted_in: Where the drafts of a dataset's table are.
        leaves: Those of each slice, by its number; none if the run has one slice.
        body: The document; empty if there is nothing to add.
    """

    run: IndexedRun
    output: Location
    tally: SliceTally
    drafted_in: StoreAt | Overlay
    leaves: dict[int, Sequence[Leaf]] = field(default_factory=dict)
    body: bytes = b""

    @property
    def key(self) -> str:
        return index_key(self.run.started, self.run.run_id)

    @property
    def drafts(self) -> Drafts:
        """What was drafted of a dataset's table: true as long as the part is not corrected."""
        return Drafts(self.key, self.tally.tables, self.drafted_in.copy)

    def corrected(self, rivals: Rivals) -> Contest:
        """Compare the results that are there with what the part says, and write what is true."""
        if not self.leaves:
            return self._corrected_document(rivals) if self.body else Contest()
        runs = {self.run.run_id: self.run}
        contests = [self._corrected_slice(number, rivals, runs) for number in self.leaves]
        found = Contest(
            by=_added(item.by for item in contests),
            of=_added(item.of for item in contests),
        )
        if found:
            self.write(self.document_of_leaves(runs))
        return found

    def _corrected_document(self, rivals: Rivals) -> Contest:
        entries = dict(rows_in(self.body))
        found = contest(self.output, self.run, entries, entries.keys(), rivals)
        if found:
            entries.update(found.rows)
            rows = sorted(entries.items(), key=itemgetter(0))
            store, by_key = StoreAt(self.output), self.tally.packed.by_key
            self.write(written_part(store, leaves_stem(self.key), rows, by_key))
        return found

    def _corrected_slice(self, number: int, rivals: Rivals, runs: dict[str, IndexedRun]) -> Contest:
        store, old = StoreAt(self.output), self.leaves[number]
        entries = dict(chain.from_iterable(rows_in_leaf(it.key, store.read(it.key)) for it in old))
        shard_ids = shard_ids_of_slice(self.output, self.run.run_id, number)
        found = contest(self.output, self.run, entries, entries.keys(), rivals, shard_ids)
        if found:
            entries.update(found.rows)
            rows = sorted(entries.items(), key=itemgetter(0))
            by_key = self.tally.packed.by_key
            self.leaves[number] = list(
                written_leaves(store, leaves_stem(self.key), rows, by_key, runs)
            )
        return Contest(by=found.by, of=found.of)

    def document_of_leaves(self, runs: Mapping[str, IndexedRun]) -> bytes:
        """The part, if the slices have its rows."""
        leaves = chain.from_iterable(self.leaves.values())
        return leaves_document(runs.values(), self.tally.packed.shards, leaves)

    def write(self, body: bytes) -> None:
        """Add the part to the index, or replace it."""
        self.body = body
        StoreAt(self.output).write(self.key, body)


def written_run_part(run: Mapping[str, Any], failures: Mapping[str, JobFailure]) -> RunPart:
    """Write the part of a run; a run without objects adds nothing.

    If it has several slices, these are aggregated already; otherwise its outcomes are read now.

    Raises DocumentError if an object has no outcome, or two, or a sample is not where it should be.
    """
    numbers: list[int] = run["slices"]
    if len(numbers) > 1:
        return _of_many_slices(run, numbers)
    results = SliceResults.begun(run, numbers[0] if numbers else 0, failures)
    store, packed = StoreAt(results.output), results.packed
    drafted_in = Overlay(store)  # in memory: nobody else takes them
    part = RunPart(results.run, results.output, SliceTally(results.tally, packed), drafted_in)
    if run["objects"] > INLINE_ROWS:
        rows, part.tally.tables = results.drafted_rows(run, drafted_in)
    else:
        rows = results.rows(run)
    first = next(rows, None)
    if first is not None:
        stem = leaves_stem(part.key)
        body = written_part(store, stem, chain([first], rows), packed.by_key)
        check_lengths(results.output, packed.shards)
        part.write(body)
    part.tally.deleted.extend(results.deleted)
    return part


def _of_many_slices(run: Mapping[str, Any], numbers: Sequence[int]) -> RunPart:
    indexed, output = indexed_run(run), Location.parse(run["output"], "run.output")
    part = RunPart(indexed, output, SliceTally(empty_tally(indexed)), StoreAt(output))
    for number in numbers:
        tally = read_tally(output, indexed.run_id, number)
        part.leaves[number] = tally.leaves
        part.tally.merge(tally)
    if any(part.leaves.values()):
        part.write(part.document_of_leaves({indexed.run_id: indexed}))
    return part


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(total)
