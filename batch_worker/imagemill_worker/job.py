"""A job: from a shard document to outputs and one outcome for each of the shard's objects."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_outcomes, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome
from imagemill_worker import stores
from imagemill_worker.dataset.intermediate import fetch_intermediate, write_intermediate
from imagemill_worker.dataset.pack import pack_dataset
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.lanes import tasks
from imagemill_worker.lanes.lane import Assignment
from imagemill_worker.lanes.supervisor import Supervisor
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.progress import Progress
from imagemill_worker.spool import Spooled, temporary_file


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, one row for each object of the shard, in its order.

    Attributes:
        reads: Where the stage reads its pictures.
        output: The store of results and outcomes.
        rows: Tasks, and the outcomes of objects for which nothing is to be done.
        resize_outcomes: What the stage before has made of each object; empty for the first.
        intermediate: The pictures of the intermediate shard, where the stage reads one.
    """

    stage: Stage
    shard: Shard
    reads: Location
    output: stores.Store
    rows: list[Task | Outcome]
    resize_outcomes: Sequence[Outcome] = ()
    intermediate: BinaryIO | None = None


@dataclass(slots=True)
class _Found:
    """What lanes have made, by place in the shard."""

    outcomes: dict[int, Outcome]
    spooled: dict[int, Spooled] = field(default_factory=dict)

    def in_order(self) -> list[Outcome]:
        return [self.outcomes[at] for at in range(len(self.outcomes))]


def open_job(stage: Stage, address: str) -> Job:
    """Read the documents.

    Raises:
        ArgumentsError: They are not there, or not what they should be.
        TryAgainError: The store cannot be reached.
        StoreRefusedError: The job may not read them.
    """
    try:
        location, key = split_object_address(address, "--shard")
        shard = Shard.decode(stores.read_document(stores.open_store(location), key, "shard"))
        stores.open_store(shard.source)
        output = stores.open_store(shard.output, create=True)
        if stage is Stage.RESIZE:
            return Job(stage, shard, shard.source, output, tasks.resize_tasks(shard))
        name = shard.output.prefix + keys.outcome_key(shard.run_id, Stage.RESIZE, shard.shard_id)
        _, outcomes = decode_outcomes(stores.read_document(output, name, "resize outcome"))
        if not shard.recipe.is_packed:
            return Job(stage, shard, shard.output, output, tasks.edge_tasks(shard, outcomes))
        file = temporary_file()
        offsets = fetch_intermediate(output, shard, outcomes, file)
        rows = tasks.edge_tasks(shard, outcomes, offsets)
        return Job(stage, shard, shard.output, output, rows, outcomes, file)
    except ContractError as error:
        raise ArgumentsError(str(error)) from error


def run_job(job: Job, threads: int, vcpus: int, stopping: threading.Event) -> None:
    """Do all tasks, pack, then write the outcome document. Raises as `Supervisor.run`."""
    shard, began = job.shard, time.monotonic()
    names = {"run_id": shard.run_id, "stage": str(job.stage), "shard_id": shard.shard_id}
    progress = Progress(names, len(job.rows))
    progress.log("start")
    with ExitStack() as spools:
        found = _found(job, threads, vcpus, stopping, progress, spools)
        outcomes, packed = _packed(job, found, stopping)
    header = {**names, "planned": len(outcomes), **packed}
    key = shard.output.prefix + keys.outcome_key(shard.run_id, job.stage, shard.shard_id)
    stores.write_object(job.output, key, encode_outcomes(header, outcomes))
    progress.log()
    seconds = time.monotonic() - began
    progress.log("end", seconds=round(seconds, 3), cpu_seconds=round(_cpu_seconds(), 3))


def _packed(
    job: Job, found: _Found, stopping: threading.Event
) -> tuple[list[Outcome], dict[str, object]]:
    """Outcomes of all objects, and what the outcome document's header says of dataset shards."""
    outcomes = found.in_order()
    if not job.shard.recipe.is_packed:
        return outcomes, {}
    if job.stage is Stage.RESIZE:
        return write_intermediate(job.output, job.shard, outcomes, found.spooled), {}

    def check_stop() -> None:
        if stopping.is_set():
            raise TryAgainError("The job was told to stop.")

    pictures = _pictures(job)
    packed = pack_dataset(
        job.output,
        job.shard,
        pictures,
        job.resize_outcomes,
        found.spooled,
        outcomes,
        check_stop,
    )
    samples = sum(shard.samples for shard in packed.shards)
    return packed.outcomes, {
        "shards": [shard.to_row() for shard in packed.shards],
        "verified": {"shards": len(packed.shards), "samples": samples},
    }


def _pictures(job: Job) -> dict[int, Spooled]:
    """Where each picture of the intermediate shard is, by place in the work shard."""
    number = _descriptor(job)
    rows = [(at, row) for at, row in enumerate(job.rows) if isinstance(row, Task)]
    return {at: Spooled(number, task.offset, task.read.bytes) for at, task in rows}


def _descriptor(job: Job) -> int:
    return -1 if job.intermediate is None else job.intermediate.fileno()


def _found(
    job: Job,
    threads: int,
    vcpus: int,
    stopping: threading.Event,
    progress: Progress,
    spools: ExitStack,
) -> _Found:
    todo = [(at, row) for at, row in enumerate(job.rows) if isinstance(row, Task)]
    found = _Found({at: row for at, row in enumerate(job.rows) if isinstance(row, Outcome)})
    for outcome in found.outcomes.values():
        progress.add(outcome, 0)

    def keep(index: int, outcome: Outcome, spooled: Spooled | None) -> None:
        at, task = todo[index]
        found.outcomes[at] = outcome
        if spooled:
            found.spooled[at] = spooled
        progress.add(outcome, task.read.bytes)

    @cache
    def spool_of(_lane: int) -> int:
        return spools.enter_context(temporary_file()).fileno() if job.shard.recipe.is_packed else -1

    to_do = [task for _, task in todo]
    Supervisor(
        tasks=to_do,
        assignment=lambda alone: _assignment(job, to_do, threads, alone=alone),
        vcpus=vcpus,
        on_outcome=keep,
        on_tick=progress.log_now_and_then,
        stopping=stopping,
        spool_of=spool_of,
        intermediate=_descriptor(job),
    ).run()
    return found


def _assignment(job: Job, to_do: list[Task], threads: int, *, alone: bool) -> Assignment:
    return Assignment(
        stage=job.stage,
        reads=str(job.reads),
        writes=str(job.shard.output),
        recipe=job.shard.recipe.to_document(),
        threads=threads if job.intermediate is None else 1,  # a local file keeps nobody waiting
        alone=alone,
        tasks=[
            (task.key, task.read.key, task.read.etag, task.read.bytes, task.output_key, task.offset)
            for task in to_do
        ],
    )


def _cpu_seconds() -> float:
    """Of this process and of its lanes."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
