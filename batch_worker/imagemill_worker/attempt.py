"""One attempt of a job: lanes do its tasks; then results are packed and outcomes written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from imagemill_contract import keys
from imagemill_contract.documents import encode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome
from imagemill_worker.errors import StoreRefusedError, TryAgainError
from imagemill_worker.job import Job
from imagemill_worker.lanes.messages import Assignment
from imagemill_worker.lanes.supervisor import Supervisor
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.meter import Meter
from imagemill_worker.progress import Progress, cpu_seconds
from imagemill_worker.spool import Spooled, temporary_file

if TYPE_CHECKING:  # imported where it is needed: packing is a tenth of a job's start
    from imagemill_worker.dataset.intermediate import IntermediateWriter


@dataclass(slots=True)
class _Results:
    """What became of the objects, by their place in the shard."""

    outcomes: dict[int, Outcome]
    spooled: dict[int, Spooled] = field(default_factory=dict)

    def in_order(self) -> list[Outcome]:
        return [self.outcomes[place] for place in range(len(self.outcomes))]


@dataclass(slots=True)
class Attempt:
    """One attempt.

    Attributes:
        threads: Objects in flight per vCPU.
        vcpus: Number of lanes.
        stopping: Set from outside when the attempt must end.
    """

    job: Job
    threads: int
    vcpus: int
    stopping: threading.Event
    _progress: Progress = field(init=False)
    _meter: Meter = field(init=False)
    _header: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._progress = Progress(self.job.names, len(self.job.rows))
        self._meter = Meter(self.vcpus, self.job.output, self._progress)
        self.job.journal.usage = self._meter.usage

    def run(self) -> None:
        """Do all tasks, pack, then write the outcome document. Raises as `Supervisor.run` does.

        If it ends early, for whatever reason, the journal holds what was done until then.
        """
        began, job = time.monotonic(), self.job
        self._progress.log("start")
        try:
            self._write_document(self._outcomes())
        except (TryAgainError, StoreRefusedError) as error:
            job.journal.write(last_words=str(error))
            raise
        job.journal.remove()
        self._progress.log()
        seconds = time.monotonic() - began
        self._progress.log("end", seconds=round(seconds, 3), cpu_seconds=round(cpu_seconds(), 3))
        self._progress.log_metrics(self._meter.usage())

    def _write_document(self, outcomes: Sequence[Outcome]) -> None:
        job = self.job
        key = keys.outcome_key(job.shard.run_id, job.stage, job.shard.shard_id)
        self._meter.write_usage(job.shard, job.stage, job.journal.used)
        header = {**job.names, "planned": len(outcomes), **self._header}
        job.output.write_document(job.shard.output.prefix + key, encode_outcomes(header, outcomes))

    def _outcomes(self) -> list[Outcome]:
        """The outcomes of all objects, in the shard's order."""
        if not self.job.shard.recipe.is_packed:
            return self._run_lanes(None, None).in_order()
        with ExitStack() as spools:

            @cache
            def spool_of(_lane: int) -> int:
                return spools.enter_context(temporary_file()).fileno()

            if self.job.stage is Stage.EDGE:
                return self._packed(self._run_lanes(spool_of, None))
            from imagemill_worker.dataset.intermediate import IntermediateWriter

            pieces = IntermediateWriter(self.job.output, self.job.shard, self.job.journal)
            with pieces:
                results = self._run_lanes(spool_of, pieces)
                results.outcomes |= pieces.finished()
            return results.in_order()

    def _packed(self, results: _Results) -> list[Outcome]:
        from imagemill_worker.dataset.pack import PackedJob, pack_dataset
        from imagemill_worker.dataset.previews import previews

        job = self.job
        assert job.intermediate is not None  # noqa: S101 # a packed edge job reads one
        descriptor = job.intermediate.fileno()
        pictures = {
            place: _spooled(descriptor, row)
            for place, row in enumerate(job.rows)
            if isinstance(row, Task)
        }
        to_pack = PackedJob(
            job.output,
            job.shard,
            job.journal,
            pictures,
            job.resize_outcomes,
            results.spooled,
            results.in_order(),
            job.given.files() if job.given else {},
        )
        packed = pack_dataset(to_pack, self.stopping)
        samples = sum(shard.samples for shard in packed.shards)
        self._header |= {
            "shards": [shard.to_row() for shard in packed.shards],
            "verified": {"shards": len(packed.shards), "samples": samples},
            "previews": [preview.to_row() for preview in previews(to_pack)],
        }
        return packed.outcomes

    def _run_lanes(
        self, spool_of: Callable[[int], int] | None, pieces: IntermediateWriter | None
    ) -> _Results:
        job, progress = self.job, self._progress
        places = [place for place, row in enumerate(job.rows) if isinstance(row, Task)]
        tasks = [row for row in job.rows if isinstance(row, Task)]
        done = {place: row for place, row in enumerate(job.rows) if isinstance(row, Outcome)}
        for outcome in done.values():
            progress.add(outcome, 0)
        results = _Results(done)

        def keep(index: int, outcome: Outcome, spooled: Spooled | None) -> None:
            results.outcomes[places[index]] = outcome
            if spooled is None:
                job.journal.add(outcome)
            elif pieces is None:
                results.spooled[places[index]] = spooled
            else:
                pieces.add(places[index], outcome, spooled)
            progress.add(outcome, tasks[index].read.bytes)

        def tick() -> None:
            if pieces is not None:
                pieces.write_when_due()
            job.journal.write_when_due()
            progress.log_now_and_then()

        supervisor = Supervisor(
            assignment=self._assignment(tasks),
            vcpus=self.vcpus,
            on_outcome=keep,
            on_tick=tick,
            stopping=self.stopping,
            spool_of=spool_of,
            intermediate=None if job.intermediate is None else job.intermediate.fileno(),
        )
        self._meter.lanes = lambda: supervisor.totals
        supervisor.run()
        for event, counts in self._meter.notes().items():
            self._header |= counts
            progress.log(event, **counts)
        return results

    def _assignment(self, tasks: Sequence[Task]) -> Assignment:
        job = self.job
        return Assignment(
            stage=str(job.stage),
            reads=str(job.reads),
            writes=str(job.shard.output),
            recipe=job.shard.recipe.to_document(),
            threads=job.threads(self.threads),
            tasks=tasks,
            verify_source=job.shard.verify_source and job.stage is Stage.RESIZE,
        )


def _spooled(descriptor: int, task: Task) -> Spooled:
    """Where a task's picture is in the intermediate shard."""
    largest, *smaller = (Spooled(descriptor, it.offset, it.read.bytes) for it in task.sizes)
    return replace(largest, smaller=tuple(smaller))
