"""The supervisor: it gives work to lanes and outlives whatever a picture does to them.

The normal path pays one note in shared memory for each picture. When a lane dies, the note says
which picture it had in the decoder; that one is done again alone, and blamed only when its lane
dies a second time. A picture that holds the decoder for longer than a minute is blamed at once.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.shards import PixelSums
from imagemill_worker.errors import StoreRefusedError, TryAgainError
from imagemill_worker.lanes.lane import Assignment
from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT, PICTURE_SECONDS
from imagemill_worker.lanes.shared_memory import DangerNote, WorkQueue
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.spool import Spooled

_POLL_SECONDS = 0.25
_SECONDS_TO_STOP = 4.0
# Lanes that may die with nothing in the decoder (killed from outside, out of memory) in one job.
_DEATHS_WITHOUT_CAUSE = 3


class LaneBugError(Exception):
    """A lane raised what no lane should; its traceback is the text."""


@dataclass(slots=True)
class LaneProcess:
    """One child process and what the supervisor knows of it."""

    process: subprocess.Popen[bytes]
    danger: DangerNote
    reports: int
    spool: int = -1
    received: bytes = b""

    @classmethod
    def start(cls, queue: WorkQueue, spool: int = -1, intermediate: int = -1) -> LaneProcess:
        """Start one with the files that it shares; -1 for those that it does without."""
        danger = DangerNote()
        reports, write_end = os.pipe()
        shared = (queue.file_descriptor, danger.file_descriptor, write_end, spool, intermediate)
        process = subprocess.Popen(
            [sys.executable, "-m", "imagemill_worker.lanes.lane", *map(str, shared)],
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            pass_fds=[number for number in shared if number >= 0],
            env={**os.environ, **LANE_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        os.close(write_end)
        return cls(process, danger, reports, spool)

    def assign(self, assignment: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101 # it was asked for
        with suppress(BrokenPipeError):  # it is dead already, and will be found so
            self.process.stdin.write(assignment)
            self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        os.close(self.reports)
        self.danger.close()


@dataclass(slots=True)
class Supervisor:
    """Brings every task of a job to its outcome.

    Attributes:
        tasks: What is to be done, by index.
        assignment: What lanes are told, apart from `alone`.
        vcpus: Number of lanes.
        on_outcome: Called once for each task, with its index, and where its product is spooled.
        on_tick: Called a few times a second.
        stopping: Set from outside when the job must end.
        spool_of: Gives a lane, by its number, a file for its products, where they are packed.
        intermediate: The file that lanes read their pictures from instead of a store, or -1.
    """

    tasks: Sequence[Task]
    assignment: Callable[[bool], Assignment]
    vcpus: int
    on_outcome: Callable[[int, Outcome, Spooled | None], None]
    on_tick: Callable[[], None]
    stopping: threading.Event
    spool_of: Callable[[int], int] = lambda _: -1
    intermediate: int = -1
    picture_seconds: float = PICTURE_SECONDS
    _open: set[int] = field(default_factory=set)
    _alone: set[int] = field(default_factory=set)
    _deaths_without_cause: int = 0

    def run(self) -> None:
        """Until every task has its outcome.

        Raises:
            TryAgainError: The attempt failed, or was told to stop.
            StoreRefusedError: A store refuses what the job must do.
            LaneBugError: A lane raised something else.
        """
        self._open = set(range(len(self.tasks)))
        while self._open - self._alone:
            self._run_lanes(sorted(self._open - self._alone), alone=False)
        while self._open:
            self._run_lanes(sorted(self._open), alone=True)

    def _run_lanes(self, indices: Sequence[int], *, alone: bool) -> None:
        """Take these tasks once. Those of a lane that died remain open."""
        queue = WorkQueue.of(indices)
        selector = selectors.DefaultSelector()
        count = 1 if alone else min(self.vcpus, len(indices))
        assignment = self.assignment(alone).encode()
        lanes = [
            LaneProcess.start(queue, self.spool_of(number), self.intermediate)
            for number in range(count)
        ]
        try:
            for lane in lanes:
                lane.assign(assignment)
                selector.register(lane.reports, selectors.EVENT_READ, lane)
            while selector.get_map():
                self._listen(selector)
                self._end_overdue(lanes)
                self.on_tick()
                if self.stopping.is_set():
                    self._stop(lanes)
            for lane in lanes:
                self._judge(lane, alone=alone)
        finally:
            for lane in lanes:
                lane.close()
            selector.close()
            queue.close()

    def _listen(self, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(_POLL_SECONDS):
            lane: LaneProcess = key.data
            data = os.read(lane.reports, 1 << 16)
            if not data:
                selector.unregister(lane.reports)
            *lines, lane.received = (lane.received + data).split(b"\n")
            for line in lines:
                self._hear(json.loads(line), lane.spool)

    def _hear(self, message: dict[str, object], spool: int) -> None:
        detail = str(message.get("detail", ""))
        match message.get("fault"):
            case None:
                rows: Iterable[dict[str, Any]] = message["rows"]  # type: ignore[assignment] # by `Lane`
                for row in rows:
                    self._take_row(row, spool)
            case "bug":
                raise LaneBugError(detail)
            case "StoreRefusedError":
                raise StoreRefusedError(detail)
            case fault:
                raise TryAgainError(detail or str(fault))

    def _take_row(self, row: dict[str, Any], spool: int) -> None:
        index = int(row["index"])
        if row.get("alone"):
            self._alone.add(index)
            return
        spooled = None
        if "at" in row:
            pixels, sums, squares = row["pixels"]
            offset, length = row["at"]
            sums_of = PixelSums(pixels, tuple(sums), tuple(squares))
            spooled = Spooled(spool, offset, length, sums_of)
        self._settle(index, Outcome.from_row(row["row"]), spooled)

    def _settle(self, index: int, outcome: Outcome, spooled: Spooled | None = None) -> None:
        if index in self._open:
            self._open.remove(index)
            self.on_outcome(index, outcome, spooled)

    def _reject(self, index: int, reason: Reason, detail: str) -> None:
        self._settle(index, Outcome(self.tasks[index].key, Status.REJECTED, reason, detail))

    def _end_overdue(self, lanes: Iterable[LaneProcess]) -> None:
        for lane in lanes:
            noted = lane.danger.read()
            if noted and noted[1] > self.picture_seconds and lane.process.poll() is None:
                detail = f"The picture took longer than {self.picture_seconds:.0f} s to decode."
                self._reject(noted[0], Reason.DECODER_TIMEOUT, detail)
                lane.process.kill()

    def _judge(self, lane: LaneProcess, *, alone: bool) -> None:
        """What the death of a lane says of the picture that it had in the decoder."""
        code = lane.process.wait()
        noted = lane.danger.read()
        if code == 0:
            return
        if noted is None:
            self._deaths_without_cause += 1
            if self._deaths_without_cause > _DEATHS_WITHOUT_CAUSE:
                raise TryAgainError(f"The processes that do the work die ({_death(code)}).")
        elif alone:
            self._reject(noted[0], Reason.DECODER_CRASHED, f"The decoder died of {_death(code)}.")
        else:
            self._alone.add(noted[0])

    def _stop(self, lanes: Sequence[LaneProcess]) -> None:
        """Let what is being written be finished. Always raises TryAgainError."""
        for lane in lanes:
            lane.process.terminate()
        for lane in lanes:
            with suppress(subprocess.TimeoutExpired):
                lane.process.wait(_SECONDS_TO_STOP / len(lanes))
        raise TryAgainError("The job was told to stop.")


def _death(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
