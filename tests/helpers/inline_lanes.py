"""What is put in the place of the worker's processes and threads, to have all in one thread."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from imagemill_contract.outcomes import Outcome
from imagemill_dataset.shards import PixelSums
from imagemill_worker.errors import TryAgainError
from imagemill_worker.lanes.lane_io import FileSource
from imagemill_worker.lanes.messages import Assignment, Totals
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.spool import Spooled, SpoolWriter
from tests.helpers.stepped_jobs import SteppedAttempt


@dataclass
class InlineLanes:
    """In the place of `Supervisor`: does all tasks by `product_of`, one after the other.

    `product_of` gives what a task makes, or its outcome where it makes nothing.
    """

    product_of: Callable[[str, Task], bytes | Outcome]
    write: Callable[[str, bytes], str]
    assignment: Assignment
    vcpus: int
    on_outcome: Callable[[int, Outcome, Spooled | None], None]
    on_tick: Callable[[], None]
    stopping: threading.Event
    spool_of: Callable[[int], int] | None = None
    intermediate: int | None = None
    totals: Totals = field(default_factory=Totals)

    def run(self) -> None:
        attempt: SteppedAttempt = SteppedAttempt.current.attempt
        for index, task in enumerate(self.assignment.tasks):
            attempt.pause()
            if self.stopping.is_set():
                raise TryAgainError("The job was told to stop.")
            if self.intermediate is not None:
                FileSource(self.intermediate).read(task)  # raises when it is not what was written
            self._do(index, task)
            if attempt.ticks:
                self.on_tick()

    def _do(self, index: int, task: Task) -> None:
        product = self.product_of(self.assignment.stage, task)
        if isinstance(product, Outcome):
            self.on_outcome(index, product, None)
            return
        etag, spooled = "", None
        if self.spool_of is None:
            etag = self.write(task.output_key, product)
        else:
            spool = self.spool_of(0)
            offset = SpoolWriter(spool).append(product)
            spooled = Spooled(spool, offset, len(product), PixelSums())
        digest = hashlib.sha256(product).hexdigest()
        self.on_outcome(index, _written(task, product, digest, etag), spooled)


def _written(task: Task, product: bytes, digest: str, etag: str) -> Outcome:
    row: Mapping[str, Any] = {"output_bytes": len(product), "sha256": digest, "etag": etag}
    size = {"width": 8, "height": 6}
    return Outcome.from_row(
        {"key": task.key, "status": "written", "output_key": task.output_key or None, **row, **size}
    )


class AtOnce:
    """In the place of `ThreadPoolExecutor`: what is submitted is done before the call returns."""

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, action: Callable[..., Any], *arguments: object) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(action(*arguments))
        except Exception as error:  # noqa: BLE001 # as the executor does
            future.set_exception(error)
        return future

    def shutdown(self, **_: object) -> None:
        pass
