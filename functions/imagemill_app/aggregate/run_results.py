"""What became of all objects of a run, read from its documents once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.packed import Packed
from imagemill_app.aggregate.tally import (
    ShardOutcomes,
    StageOutcome,
    refused_outcomes,
    shard_outcomes,
    skipped_after,
)
from imagemill_app.stores import read_bytes, store_of
from imagemill_contract.documents import Shard, decode_lines
from imagemill_contract.keys import Stage, deleted_key, plan_key, relative_key
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Reason
from imagemill_dataset.index import Entry, IndexedRun, final_reason


@dataclass(slots=True)
class RunResults:
    """What is gathered of a run while its outcomes are read.

    Attributes:
        run: As the index names it.
        entries: What the index is to know of each object, by relative key.
        packed: What went into dataset shards.
    """

    run: IndexedRun
    entries: dict[str, Entry] = field(default_factory=dict)
    packed: Packed = field(default_factory=Packed)

    def outcomes(
        self, output: Location, failures: Mapping[str, JobFailure]
    ) -> Iterator[StageOutcome]:
        """Outcomes of all stages of all objects. Raises DocumentError when they do not add up."""
        refused = refused_outcomes(self.run.run_id, output)
        self._forget_unlabelled(refused)
        yield from _rows(Stage.RESIZE, refused)
        yield from _rows(Stage.EDGE, skipped_after(refused))
        for item in json.loads(read_bytes(output, plan_key(self.run.run_id))):
            shard = _shard_at(item["shard"])
            failure = failures.get(shard.shard_id)
            resized = shard_outcomes(shard, Stage.RESIZE, failure, [])
            edges = shard_outcomes(shard, Stage.EDGE, failure, resized.outcomes)
            self._gather(shard, resized, edges)
            yield from _rows(Stage.RESIZE, resized.outcomes)
            yield from _rows(Stage.EDGE, edges.outcomes)

    def _forget_unlabelled(self, refused: Iterable[Outcome]) -> None:
        """A picture that has no class now may have a sample without one from before."""
        prefix = Location.parse(self.run.source, "run.source").prefix
        for outcome in refused:
            if outcome.reason is Reason.NO_LABEL:
                relative = relative_key(outcome.key, prefix)
                self.entries[relative] = Entry("", Reason.NO_LABEL, self.run)

    def _gather(self, shard: Shard, resized: ShardOutcomes, edges: ShardOutcomes) -> None:
        places = {}
        if shard.recipe.is_packed:
            places = self.packed.places(shard, resized.outcomes, edges)
        for source, *stages in zip(shard.objects, resized.outcomes, edges.outcomes, strict=True):
            reason = final_reason((outcome.status, outcome.reason) for outcome in stages)
            relative = relative_key(source.key, shard.source.prefix)
            place = places.get(source.key)
            self.entries[relative] = Entry(source.etag, reason, self.run, place=place)


def deleted_outputs(run: Mapping[str, Any], output: Location) -> dict[str, list[str]]:
    """Relative keys of the sources that are gone, with the outputs that are theirs alone."""
    if not run["deleted"]:
        return {}
    _, rows = decode_lines("deleted", read_bytes(output, deleted_key(run["run_id"])))
    return {str(row["key"]): cast("list[str]", row["outputs"]) for row in rows}


def _shard_at(address: str) -> Shard:
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def _rows(stage: Stage, outcomes: list[Outcome]) -> Iterator[StageOutcome]:
    return (StageOutcome(stage, outcome) for outcome in outcomes)
