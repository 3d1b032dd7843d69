"""What became of all objects of a run. Its documents are read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.tally import Counting, RunTally
from imagemill_app.results.job_record import JobRecord, job_record
from imagemill_app.results.packed_samples import PackedShards, sample_places
from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.results.shard_outcomes import complete_outcomes, skipped_after
from imagemill_app.stores import read_bytes
from imagemill_contract.documents import Shard, decode_lines, decode_outcomes
from imagemill_contract.keys import Stage, deleted_key, refused_key, relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.reasons import final_reason


@dataclass(frozen=True, slots=True)
class RunResults:
    """The results of a run.

    Attributes:
        totals: Its outcomes, counted.
        entries: What the index will say about each object, by relative key.
        packed: Its dataset shards.
    """

    totals: RunTally
    entries: dict[str, Entry]
    packed: PackedShards

    @classmethod
    def read(
        cls, run: IndexedRun, output: Location, failures: Mapping[str, JobFailure], planned: int
    ) -> RunResults:
        """Read the outcomes of all stages, one shard at a time, never holding all of them.

        Raises DocumentError if an object has no outcome, or two, or a sample is not where it should
        be.
        """
        counting, packed = Counting(), PackedShards()
        refused = decode_outcomes(read_bytes(output, refused_key(run.run_id)))[1]
        counting.add(Stage.RESIZE, refused)
        counting.add(Stage.EDGE, skipped_after(refused))
        entries = _entries_without_class(run, refused)
        for shard in planned_shards(output, run.run_id):
            failure = failures.get(shard.shard_id)
            edges = job_record(shard, Stage.EDGE)
            resized, mapped = _stages(shard, edges, str(failure) if failure else "")
            counting.add(Stage.RESIZE, resized)
            counting.add(Stage.EDGE, mapped)
            packed.add(edges)
            entries.update(_entries(run, shard, list(zip(resized, mapped, strict=True)), edges))
        return cls(counting.tally(planned), entries, packed)


def deleted_outputs(run: Mapping[str, Any], output: Location) -> dict[str, list[str]]:
    """Relative keys of the sources that are gone, each with the outputs that are its own alone."""
    if not run["deleted"]:
        return {}
    _, rows = decode_lines("deleted", read_bytes(output, deleted_key(run["run_id"])))
    return {str(row["key"]): cast("list[str]", row["outputs"]) for row in rows}


def _entries_without_class(run: IndexedRun, refused: Iterable[Outcome]) -> dict[str, Entry]:
    """Entries of pictures that have no class: one may have a sample of an earlier run."""
    prefix = Location.parse(run.source, "run.source").prefix
    return {
        relative_key(outcome.key, prefix): Entry("", Reason.NO_LABEL, run)
        for outcome in refused
        if outcome.reason is Reason.NO_LABEL
    }


def _stages(shard: Shard, edges: JobRecord, failure: str) -> tuple[list[Outcome], list[Outcome]]:
    """Outcomes of resize and of edge, in shard order."""
    resized = complete_outcomes(shard, job_record(shard, Stage.RESIZE), failure, [])
    return resized, complete_outcomes(shard, edges, failure, resized)


def _entries(
    run: IndexedRun, shard: Shard, outcomes: list[tuple[Outcome, Outcome]], edges: JobRecord
) -> Iterator[tuple[str, Entry]]:
    """What the index will say about a shard's objects."""
    places = {}
    if shard.recipe.is_packed:
        places = sample_places(shard, outcomes, edges.dataset_shards)
    for source, stages in zip(shard.objects, outcomes, strict=True):
        reason = final_reason((outcome.status, outcome.reason) for outcome in stages)
        relative = relative_key(source.key, shard.source.prefix)
        yield relative, Entry(source.etag, reason, run, place=places.get(source.key))
