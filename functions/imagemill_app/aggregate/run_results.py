"""What became of all objects of a run. Its documents are read once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.tally import Counting, RunTally
from imagemill_app.results.packed_samples import PackedShards
from imagemill_app.results.shard_outcomes import ShardOutcomes, shard_outcomes, skipped_after
from imagemill_app.stores import read_bytes, store_of
from imagemill_contract.documents import Shard, decode_lines, decode_outcomes
from imagemill_contract.keys import Stage, deleted_key, plan_key, refused_key, relative_key
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Reason
from imagemill_dataset.index import Entry, IndexedRun, final_reason


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
        for shard in _shards(run.run_id, output):
            failure = failures.get(shard.shard_id)
            sentence = str(failure) if failure else ""
            resized = shard_outcomes(shard, Stage.RESIZE, sentence, [])
            edges = shard_outcomes(shard, Stage.EDGE, sentence, resized.outcomes)
            counting.add(Stage.RESIZE, resized.outcomes)
            counting.add(Stage.EDGE, edges.outcomes)
            entries.update(_entries(run, shard, resized, edges, packed))
        return cls(counting.tally(planned), entries, packed)


def deleted_outputs(run: Mapping[str, Any], output: Location) -> dict[str, list[str]]:
    """Relative keys of the sources that are gone, each with the outputs that are its own alone."""
    if not run["deleted"]:
        return {}
    _, rows = decode_lines("deleted", read_bytes(output, deleted_key(run["run_id"])))
    return {str(row["key"]): cast("list[str]", row["outputs"]) for row in rows}


def _shards(run_id: str, output: Location) -> Iterator[Shard]:
    for item in json.loads(read_bytes(output, plan_key(run_id))):
        location, key = split_object_address(item["shard"], "plan.shard")
        yield Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def _entries_without_class(run: IndexedRun, refused: Iterable[Outcome]) -> dict[str, Entry]:
    """Entries of pictures that have no class: one may have a sample of an earlier run."""
    prefix = Location.parse(run.source, "run.source").prefix
    return {
        relative_key(outcome.key, prefix): Entry("", Reason.NO_LABEL, run)
        for outcome in refused
        if outcome.reason is Reason.NO_LABEL
    }


def _entries(
    run: IndexedRun,
    shard: Shard,
    resized: ShardOutcomes,
    edges: ShardOutcomes,
    packed: PackedShards,
) -> Iterator[tuple[str, Entry]]:
    """What the index will say about a shard's objects. Adds its dataset shards to `packed`."""
    places = {}
    if shard.recipe.is_packed:
        places = packed.take_in(shard, resized.outcomes, edges)
    for source, *stages in zip(shard.objects, resized.outcomes, edges.outcomes, strict=True):
        reason = final_reason((outcome.status, outcome.reason) for outcome in stages)
        relative = relative_key(source.key, shard.source.prefix)
        yield relative, Entry(source.etag, reason, run, place=places.get(source.key))
