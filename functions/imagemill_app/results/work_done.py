"""What a run has done so far, whether it is going on, was stopped, or has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from imagemill_app.results.index_rows import entry_of
from imagemill_app.results.job_record import job_record
from imagemill_app.results.packed_samples import check_samples, sample_places
from imagemill_app.results.planned_shards import shard_addresses, shard_at
from imagemill_contract.documents import Shard
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import relative_key, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status, outcome_columns
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.shards import DatasetShard

SHARDS_AT_ONCE = 16


@dataclass(slots=True)
class WorkDone:
    """What need not be done again of some shards.

    Attributes:
        entries: Objects that have been through all stages, or were rejected, by relative key.
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
        records = [job_record(shard, stage) for stage in stages_of(shard.recipe)]
        final = dict(_final_outcomes(shard, [record.outcomes for record in records]))
        places = {}
        if shard.recipe.is_packed:
            through = [found for found in final.values() if len(found) == len(records)]
            stages = list(zip(*through, strict=True)) if through else [()]
            found = sample_places(shard, list(map(outcome_columns, stages)))
            of_objects = zip(stages[0], found, strict=True)
            places = {outcome.key: place for outcome, place in of_objects if place}
            check_samples(records[-1].dataset_shards, places.values())
    except (ContractError, FileNotFoundError):
        return WorkDone()
    planned = [relative_key(item.key, shard.source.prefix) for item in shard.objects]
    entries = {
        relative_key(item.key, shard.source.prefix): entry_of(
            run, item, final[item.key], places.get(item.key)
        )
        for item in shard.objects
        if item.key in final
    }
    return WorkDone(entries, records[-1].dataset_shards, planned, [shard.shard_id])


def _final_outcomes(
    shard: Shard, outcomes_of: Sequence[Mapping[str, Outcome]]
) -> Iterator[tuple[str, list[Outcome]]]:
    """Outcomes of objects that need nothing more, by key, up to the stage that was the last.

    `outcomes_of` are those of each stage: an object is written in all of them, or rejected in one.
    """
    for item in shard.objects:
        found: list[Outcome] = []
        for outcomes in outcomes_of:
            outcome = outcomes.get(item.key)
            if outcome is None or outcome.status not in (Status.WRITTEN, Status.REJECTED):
                break
            found.append(outcome)
            if outcome.status is Status.REJECTED or len(found) == len(outcomes_of):
                yield item.key, found
                break
