"""What became of all objects of a run. Its documents are read once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.results.job_record import MAX_NAMED, JobRecord, job_record
from imagemill_app.results.packed_samples import PackedShards, sample_places
from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.results.shard_outcomes import complete_outcomes, write_missing
from imagemill_app.stores import read_bytes
from imagemill_app.tally.tally import Tally
from imagemill_contract.documents import Shard, decode_lines, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage, deleted_key, refused_key, relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.reasons import final_reason


@dataclass(frozen=True, slots=True)
class RunResults:
    """The results of a run.

    Attributes:
        tally: Its outcomes, counted.
        entries: What the index will say about each object, by relative key.
        packed: Its dataset shards.
    """

    tally: Tally
    entries: dict[str, Entry]
    packed: PackedShards

    @classmethod
    def read(
        cls, run: IndexedRun, output: Location, failures: Mapping[str, JobFailure]
    ) -> RunResults:
        """Read the outcomes of all stages, one shard at a time, never holding all of them.

        Raises DocumentError if an object has no outcome, or two, or a sample is not where it should
        be.
        """
        refused = decode_outcomes(read_bytes(output, refused_key(run.run_id)))[1]
        entries = _entries_without_class(run, refused)
        results = cls(Tally.seeded(run.run_id), entries, PackedShards())
        for outcome in refused:
            results.tally.add_refused(outcome)
        for shard in planned_shards(output, run.run_id):
            failure = failures.get(shard.shard_id)
            results.add(run, shard, str(failure) if failure else "")
        return results

    def add(self, run: IndexedRun, shard: Shard, failure: str) -> None:
        """Take in what the jobs of a shard have left. `failure` says why one failed, or is ""."""
        pictures, edges = job_record(shard, Stage.RESIZE), job_record(shard, Stage.EDGE)
        resized = complete_outcomes(shard, pictures, failure, [])
        mapped = complete_outcomes(shard, edges, failure, resized)
        write_missing(shard, Stage.RESIZE, pictures, resized)
        write_missing(shard, Stage.EDGE, edges, mapped)
        self.tally.add_shard(shard.objects, resized, mapped)
        self.tally.add_job(Stage.RESIZE, shard.shard_id, pictures.usage, len(resized))
        self.tally.add_job(Stage.EDGE, shard.shard_id, edges.usage, len(mapped))
        self.packed.add(edges)
        entries = dict(_entries(run, shard, list(zip(resized, mapped, strict=True)), edges))
        _check_planned_once(shard, self.entries.keys() & entries.keys())
        self.entries.update(entries)


def _check_planned_once(shard: Shard, twice: Collection[str]) -> None:
    if twice:
        named = ", ".join(sorted(twice)[:MAX_NAMED])
        raise DocumentError(
            f"{len(twice)} objects of shard {shard.shard_id} are in another shard, too: {named}."
        )


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
