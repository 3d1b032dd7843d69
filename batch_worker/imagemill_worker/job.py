"""A job: from a shard document to outputs and one outcome for each of the shard's objects."""

from __future__ import annotations

import resource
import threading
import time
from dataclasses import dataclass

from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_outcomes, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome
from imagemill_worker import stores, tasks
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.lane import Assignment
from imagemill_worker.progress import Progress
from imagemill_worker.supervise import Supervisor
from imagemill_worker.tasks import Task


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, one row for each object of the shard, in its order.

    Attributes:
        reads: Where the stage reads its pictures.
        output: The store of results and outcomes.
        rows: Tasks, and the outcomes of objects for which nothing is to be done.
    """

    stage: Stage
    shard: Shard
    reads: Location
    output: stores.Store
    rows: list[Task | Outcome]


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
        return Job(stage, shard, shard.output, output, tasks.edge_tasks(shard, outcomes))
    except ContractError as error:
        raise ArgumentsError(str(error)) from error


def run_job(job: Job, threads: int, vcpus: int, stopping: threading.Event) -> None:
    """Do all tasks, then write the outcome document. Raises as `Supervisor.run`."""
    shard, began = job.shard, time.monotonic()
    names = {"run_id": shard.run_id, "stage": str(job.stage), "shard_id": shard.shard_id}
    progress = Progress(names, len(job.rows))
    progress.log("start")
    outcomes = _all_outcomes(job, threads, vcpus, stopping, progress)
    header = {**names, "planned": len(outcomes)}
    key = shard.output.prefix + keys.outcome_key(shard.run_id, job.stage, shard.shard_id)
    stores.write_object(job.output, key, encode_outcomes(header, outcomes))
    progress.log()
    seconds = time.monotonic() - began
    progress.log("end", seconds=round(seconds, 3), cpu_seconds=round(_cpu_seconds(), 3))


def _all_outcomes(
    job: Job, threads: int, vcpus: int, stopping: threading.Event, progress: Progress
) -> list[Outcome]:
    todo = [(at, row) for at, row in enumerate(job.rows) if isinstance(row, Task)]
    found = {at: row for at, row in enumerate(job.rows) if isinstance(row, Outcome)}
    for outcome in found.values():
        progress.add(outcome, 0)

    def keep(index: int, outcome: Outcome) -> None:
        at, task = todo[index]
        found[at] = outcome
        progress.add(outcome, task.read.bytes)

    to_do = [task for _, task in todo]
    Supervisor(
        tasks=to_do,
        assignment=lambda alone: _assignment(job, to_do, threads, alone=alone),
        vcpus=vcpus,
        on_outcome=keep,
        on_tick=progress.log_now_and_then,
        stopping=stopping,
    ).run()
    return [found[at] for at in range(len(job.rows))]


def _assignment(job: Job, to_do: list[Task], threads: int, *, alone: bool) -> Assignment:
    return Assignment(
        stage=job.stage,
        reads=str(job.reads),
        writes=str(job.shard.output),
        recipe=job.shard.recipe.to_document(),
        threads=threads,
        alone=alone,
        tasks=[
            (task.key, task.read.key, task.read.etag, task.read.bytes, task.output_key)
            for task in to_do
        ],
    )


def _cpu_seconds() -> float:
    """Of this process and of its lanes."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
