"""A job: from a shard document to outputs and one outcome for each of the shard's objects."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from obstore.store import ObjectStore

from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_outcomes, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import split_object_address
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker import stores, tasks
from imagemill_worker.errors import ArgumentsError, PictureError, TryAgainError
from imagemill_worker.progress import Progress
from imagemill_worker.tasks import Task


@dataclass(frozen=True, slots=True)
class Job:
    stage: Stage
    shard: Shard
    reads: ObjectStore
    writes: ObjectStore
    rows: list[Task | Outcome]


def open_job(stage: Stage, address: str) -> Job:
    """Read the documents. Raises ArgumentsError, TryAgainError, StoreRefusedError."""
    try:
        location, key = split_object_address(address, "--shard")
        body = stores.read_document(stores.open_store(location), key, "shard")
        shard = Shard.decode(body)
        output = stores.open_store(shard.output)
        if stage is Stage.RESIZE:
            source = stores.open_store(shard.source)
            return Job(stage, shard, source, output, tasks.resize_tasks(shard))
        name = shard.output.prefix + keys.outcome_key(shard.run_id, Stage.RESIZE, shard.shard_id)
        _, outcomes = decode_outcomes(stores.read_document(output, name, "resize outcome"))
        return Job(stage, shard, output, output, tasks.edge_tasks(shard, outcomes))
    except ContractError as error:
        raise ArgumentsError(str(error)) from error


def run_job(job: Job, threads: int, stopping: threading.Event) -> None:
    shard = job.shard
    names = {"run_id": shard.run_id, "stage": str(job.stage), "shard_id": shard.shard_id}
    progress = Progress(names, len(job.rows))
    progress.log("start")
    begin, cpu = time.monotonic(), time.process_time()
    outcomes = _outcomes(job, threads, stopping, progress)
    if stopping.is_set():
        raise TryAgainError("The job was told to stop.")
    header = {**names, "planned": len(outcomes)}
    key = shard.output.prefix + keys.outcome_key(shard.run_id, job.stage, shard.shard_id)
    stores.write_object(job.writes, key, encode_outcomes(header, outcomes))
    progress.log()
    seconds = round(time.monotonic() - begin, 3)
    progress.log("end", seconds=seconds, cpu_seconds=round(time.process_time() - cpu, 3))


def _outcomes(
    job: Job, threads: int, stopping: threading.Event, progress: Progress
) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    lock, compute = threading.Lock(), threading.Semaphore(1)
    todo: Iterator[tuple[int, Task | Outcome]] = iter(list(enumerate(job.rows)))

    def take() -> tuple[int, Task | Outcome] | None:
        with lock:
            return None if stopping.is_set() else next(todo, None)

    def work() -> None:
        while (taken := take()) is not None:
            index, row = taken
            outcome = _outcome(job, row, compute) if isinstance(row, Task) else row
            with lock:
                found[index] = outcome
                progress.add(outcome, row.read.bytes if isinstance(row, Task) else 0)

    with ThreadPoolExecutor(threads) as pool:
        waiting = {pool.submit(work) for _ in range(min(threads, len(job.rows)) or 1)}
        while waiting:
            done, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
            for future in done:
                if future.exception() is not None:
                    stopping.set()
                future.result()
            with lock:
                progress.log()
    return [found[index] for index in sorted(found)]


def _outcome(job: Job, task: Task, compute: threading.Semaphore) -> Outcome:
    try:
        body = stores.read_object(job.reads, task.read)
        with compute:
            product = tasks.product_of(job.stage, body, job.shard.recipe)
    except PictureError as error:
        return Outcome(task.key, error.status, error.reason, error.detail)
    stores.write_object(job.writes, task.output_key, product.body)
    return Outcome(
        task.key,
        Status.WRITTEN,
        output_key=task.output_key,
        output_bytes=len(product.body),
        width=product.width,
        height=product.height,
    )
