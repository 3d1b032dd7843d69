"""What a run has done so far, whether it is going on, was stopped, or has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from imagemill_app.results.job_record import job_record
from imagemill_app.results.packed_samples import sample_places
from imagemill_app.results.planned_shards import shard_addresses, shard_at
from imagemill_contract.documents import Shard
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage, relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.reasons import final_reason
from imagemill_dataset.shards import DatasetShard

SHARDS_AT_ONCE = 16


@dataclass(slots=True)
class WorkDone:
    """What need not be done again of some shards.

    Attributes:
        entries: Objects that have been through both stages, or were rejected, by relative key.
        dataset_shards: Where samples of theirs lie.
        planned: Relative keys of all objects of these shards.
        shard_ids: The shards.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    dataset_shards: list[DatasetShard] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    shard_ids: list[str] = field(default_factory=list)

    def add(self, other: WorkDone) -> None:
        self.entries.update(other.entries)
        self.dataset_shards += other.dataset_shards
        self.planned += other.planned
        self.shard_ids += other.shard_ids


def work_done(output: Location, run: IndexedRun) -> Iterator[WorkDone]:
    """Everything final in the outcome documents and journals of a run's jobs, in order of keys.

    It comes in pieces of some shards. If the documents of a shard cannot be read, nothing of it
    counts: it is done again.
    """
    try:
        addresses = iter(shard_addresses(output, run.run_id))
    except FileNotFoundError:  # it was stopped before it had a plan
        return
    with ThreadPoolExecutor(SHARDS_AT_ONCE) as pool:
        while some := list(islice(addresses, SHARDS_AT_ONCE)):
            done = WorkDone()
            for part in pool.map(lambda address: _done_of_shard(address, run), some):
                done.add(part)
            yield done


def _done_of_shard(address: str, run: IndexedRun) -> WorkDone:
    try:
        shard = shard_at(address)
        edges = job_record(shard, Stage.EDGE)
        resized = job_record(shard, Stage.RESIZE).outcomes
        final = dict(_final_outcomes(shard, resized, edges.outcomes))
        places = {}
        if shard.recipe.is_packed:
            places = sample_places(shard, final.values(), edges.dataset_shards)
    except (ContractError, FileNotFoundError):
        return WorkDone()
    planned = [relative_key(item.key, shard.source.prefix) for item in shard.objects]
    entries = {
        relative_key(item.key, shard.source.prefix): Entry(
            item.etag,
            final_reason((outcome.status, outcome.reason) for outcome in final[item.key]),
            run,
            place=places.get(item.key),
            columns=item.columns,
        )
        for item in shard.objects
        if item.key in final
    }
    return WorkDone(entries, edges.dataset_shards, planned, [shard.shard_id])


def _final_outcomes(
    shard: Shard, resized: Mapping[str, Outcome], edges: Mapping[str, Outcome]
) -> Iterator[tuple[str, tuple[Outcome, Outcome]]]:
    """Outcomes of both stages by key; of a rejected object the second tells nothing."""
    for item in shard.objects:
        picture, edge = resized.get(item.key), edges.get(item.key)
        if picture is None:
            continue
        if picture.status is Status.REJECTED:
            yield item.key, (picture, Outcome(item.key, Status.SKIPPED))
        elif edge is not None and _is_final(picture, edge):
            yield item.key, (picture, edge)


def _is_final(picture: Outcome, edge: Outcome) -> bool:
    return picture.status is Status.WRITTEN and edge.status in (Status.WRITTEN, Status.REJECTED)
