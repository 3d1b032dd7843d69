"""What became of the objects of a slice. Its documents are read once, shard by shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any, cast

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.results.index_rows import index_rows
from imagemill_app.results.job_record import MAX_NAMED, job_record
from imagemill_app.results.open_runs import indexed_run
from imagemill_app.results.packed_samples import PackedShards, check_samples
from imagemill_app.results.planned_shards import shards_of_slice
from imagemill_app.results.shard_outcomes import complete_outcomes, write_missing
from imagemill_app.stores import read_bytes, remove
from imagemill_app.tally.problems import MAX_LISTED
from imagemill_app.tally.tally import Tally
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import (
    Stage,
    deleted_key,
    refused_key,
    relative_key,
    stages_in,
    stages_of,
    table_drafts_folder,
)
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, outcome_columns
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Row
from imagemill_dataset.reasons import NEVER_GIVEN
from imagemill_dataset.tables.drafts import TableDraft, drafted

# Columns of some rows are in a cache when they are read again, those of a whole shard are not.
_ROWS_AT_ONCE = 2_500


def empty_tally(run: IndexedRun) -> Tally:
    """A tally of a run's stages, with nothing counted yet."""
    return Tally.begun(run.run_id, stages_in(run.recipe))


@dataclass(slots=True)
class SliceResults:
    """The results of a slice, complete as soon as all of its rows are read.

    Attributes:
        run: The run as the index names it.
        output: Where it writes.
        number: The slice.
        failures: Which jobs have failed, by shard id.
        tally: Outcomes, counted.
        packed: Dataset shards.
        deleted: Relative keys of sources that are gone, at most `MAX_LISTED`.
    """

    run: IndexedRun
    output: Location
    number: int
    failures: Mapping[str, JobFailure]
    tally: Tally
    packed: PackedShards = field(default_factory=PackedShards)
    deleted: list[str] = field(default_factory=list)

    @classmethod
    def begun(
        cls, run: Mapping[str, Any], number: int, failures: Mapping[str, JobFailure]
    ) -> SliceResults:
        """Results of which nothing is read yet."""
        output = Location.parse(run["output"], "run.output")
        indexed = indexed_run(run)
        return cls(indexed, output, number, failures, empty_tally(indexed))

    def rows(self, run: Mapping[str, Any]) -> Iterator[Row]:
        """What the index will say about each object, in the order of keys.

        With `prune` the results of deleted sources are removed before.

        Raises DocumentError if an object has no outcome, or two, or a sample is not where it should
        be.
        """
        key = refused_key(self.run.run_id, self.number)
        refused = decode_outcomes(read_bytes(self.output, key))[1]
        for outcome in refused:
            self.tally.add_refused(outcome)
        gone = self._deleted() if run["deleted"] else {}
        self.deleted = list(gone)[:MAX_LISTED]
        if run["prune"]:
            remove(self.output, [key for outputs in gone.values() for key in outputs])
        others = list(_never_given(self.run, refused))
        if run["prune"]:
            others += [(key, Entry("", None, self.run, is_pruned=True)) for key in gone]
        others.sort(key=itemgetter(0))
        rows = self._rows_of_shards()
        return merge(rows, others, key=itemgetter(0)) if others else rows

    def drafted_rows(
        self, run: Mapping[str, Any], store: ObjectStore
    ) -> tuple[Iterator[Row], list[TableDraft]]:
        """The rows, and what is drafted in `store` of a packed dataset while they are read."""
        tables: list[TableDraft] = []
        rows = self.rows(run)
        if not Recipe.from_document(self.run.recipe, "run.recipe").is_packed:
            return rows, tables
        folder = table_drafts_folder(self.run.run_id)
        return drafted(rows, store, folder, self.packed.by_key, tables), tables

    def _deleted(self) -> dict[str, list[str]]:
        """Keys of sources that are gone, in order, each with the outputs that are its own alone."""
        try:
            body = read_bytes(self.output, deleted_key(self.run.run_id, self.number))
        except FileNotFoundError:
            return {}
        _, rows = decode_lines("deleted", body)
        return {str(row["key"]): cast("list[str]", row["outputs"]) for row in rows}

    def _rows_of_shards(self) -> Iterator[Row]:
        """Rows in the order of their keys, as shards are unless they are shuffled."""
        is_shuffled = bool(self.run.recipe.get("shuffle"))
        rows = chain.from_iterable(self._rows_by_shard(is_shuffled=is_shuffled))
        return iter(sorted(rows, key=itemgetter(0))) if is_shuffled else rows

    def _rows_by_shard(self, *, is_shuffled: bool) -> Iterator[list[Row]]:
        last, seen = "", set[str]()
        for shard in shards_of_slice(self.output, self.run.run_id, self.number):
            keys = sorted(item.key for item in shard.objects)
            if is_shuffled:
                twice = [key for key in keys if key in seen]
                seen.update(keys)
            else:  # in key order the last key says it all
                twice = [key for key in keys if key <= last]
                last = keys[-1] if keys else last
            _check_planned_once(shard, twice)
            failure = self.failures.get(shard.shard_id)
            yield self._rows_of(shard, str(failure) if failure else "")

    def _rows_of(self, shard: Shard, failure: str) -> list[Row]:
        """Take in what the jobs of a shard have left. `failure` says why one failed, or is ""."""
        records = {stage: job_record(shard, stage) for stage in stages_of(shard.recipe)}
        outcomes_of: dict[Stage, list[Outcome]] = {}
        for stage, record in records.items():
            outcomes = complete_outcomes(shard, record, failure, outcomes_of)
            write_missing(shard, stage, record, outcomes)
            self.tally.add_job(stage, shard.shard_id, record.usage, len(outcomes))
            outcomes_of[stage] = outcomes
        *_, last = records.values()
        self.tally.sources.add_previews(last.previews)
        self.packed.add(last)
        rows: list[Row] = []
        for first in range(0, len(shard.objects), _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            objects = shard.objects[some]
            columns = {stage: outcome_columns(found[some]) for stage, found in outcomes_of.items()}
            self.tally.add_shard(objects, columns)
            rows += index_rows(self.run, shard, objects, list(columns.values()))
        places = [entry.place for _, entry in rows if entry.place]
        check_samples(last.dataset_shards, places)
        return sorted(rows, key=itemgetter(0))


def _check_planned_once(shard: Shard, twice: list[str]) -> None:
    if twice:
        named = ", ".join(twice[:MAX_NAMED])
        raise DocumentError(
            f"{len(twice)} objects of shard {shard.shard_id} are in another shard, too: {named}."
        )


def _never_given(run: IndexedRun, refused: Iterable[Outcome]) -> Iterator[Row]:
    """Rows of pictures without class or columns: one may have a sample of an earlier run."""
    prefix = Location.parse(run.source, "run.source").prefix
    for outcome in refused:
        if outcome.reason in NEVER_GIVEN:
            yield relative_key(outcome.key, prefix), Entry("", outcome.reason, run)
