"""The supervisor: it gives work to lanes and survives whatever a picture does to them.

Each picture costs one note in shared memory. If a lane dies, the note says which picture it had in
the decoder. That picture is done again alone, and rejected only if its lane dies a second time. A
picture that takes longer than a minute to decode is rejected at once. A lane that gives no sign of
life for minutes is ended, and its work is done again.
"""

from __future__ import annotations

import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker.errors import LaneBugError, StoreRefusedError, TryAgainError
from imagemill_worker.lanes.lane_process import LaneProcess
from imagemill_worker.lanes.messages import Assignment, Ended, FaultName, Report, Totals
from imagemill_worker.lanes.process_limits import PICTURE_SECONDS, SILENT_SECONDS
from imagemill_worker.lanes.shared_memory import WorkQueue
from imagemill_worker.spool import Spooled

_POLL_SECONDS = 0.25
_SECONDS_TO_STOP = 4.0
# How many lanes of a job may end with work left and nothing in the decoder: killed from outside,
# out of memory, stuck.
_DEATHS_WITHOUT_CAUSE = 3


@dataclass(slots=True)
class Supervisor:
    """Brings every task of a job to its outcome.

    Attributes:
        assignment: What lanes are to do.
        vcpus: Number of lanes.
        on_outcome: Called once for each task, with its index and where its product is spooled.
        on_tick: Called a few times a second.
        stopping: Set from outside when the job must end.
        spool_of: Returns the spool of a lane, by its number; None if nothing is packed.
        intermediate: The file that lanes read their pictures from instead of a store, or None.
        totals: Counts of all lanes.
    """

    assignment: Assignment
    vcpus: int
    on_outcome: Callable[[int, Outcome, Spooled | None], None]
    on_tick: Callable[[], None]
    stopping: threading.Event
    spool_of: Callable[[int], int] | None = None
    intermediate: int | None = None
    picture_seconds: float = PICTURE_SECONDS
    silent_seconds: float = SILENT_SECONDS
    totals: Totals = field(default_factory=Totals)
    _open: set[int] = field(default_factory=set)
    _alone: set[int] = field(default_factory=set)
    _deaths_without_cause: int = 0

    def run(self) -> None:
        """Work until every task has its outcome.

        Raises:
            TryAgainError: The attempt failed, or was told to stop.
            StoreRefusedError: The store denies what the job must do.
            LaneBugError: A lane raised an unexpected error.
        """
        self._open = set(range(len(self.assignment.tasks)))
        while self._open - self._alone:
            self._run_lanes(sorted(self._open - self._alone), alone=False)
        while self._open:
            self._run_lanes(sorted(self._open), alone=True)

    def _run_lanes(self, indices: Sequence[int], *, alone: bool) -> None:
        """Give these tasks to lanes once. Those of a lane that died remain open."""
        queue = WorkQueue.of(indices)
        selector = selectors.DefaultSelector()
        count = 1 if alone else min(self.vcpus, len(indices))
        lanes: list[LaneProcess] = []
        before = len(self._open), len(self._alone)
        try:
            for number in range(count):
                lanes.append(self._started(number, queue, alone=alone))
                selector.register(lanes[-1].reports, selectors.EVENT_READ, lanes[-1])
            while selector.get_map():
                self._listen(selector)
                self._end_overdue(lanes)
                self.on_tick()
                if self.stopping.is_set():
                    self._stop(lanes)
            for lane in lanes:
                self._judge(lane, alone=alone)
            if (len(self._open), len(self._alone)) == before:
                self._count_death("exit code 0, with work left")
        finally:
            for lane in lanes:
                self.totals = self.totals.plus(lane.last.totals)
                lane.close()
            selector.close()
            queue.close()

    def _started(self, number: int, queue: WorkQueue, *, alone: bool) -> LaneProcess:
        assignment = replace(self.assignment, alone=alone)
        spool = self.spool_of(number) if self.spool_of else None
        return LaneProcess.start(assignment, queue, spool, self.intermediate)

    def _listen(self, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(_POLL_SECONDS):
            lane: LaneProcess = key.data
            reports = lane.new_reports()
            if reports is None:
                selector.unregister(lane.reports)
                continue
            for report in reports:
                self._hear(report, lane.spool)

    def _hear(self, report: Report, spool: int | None) -> None:
        for ended in report.ended:
            self._take(ended, spool)
        match report.fault:
            case FaultName.TRY_AGAIN:
                raise TryAgainError(report.detail)
            case FaultName.STORE_REFUSED:
                raise StoreRefusedError(report.detail)
            case FaultName.BUG:
                raise LaneBugError(report.detail)

    def _take(self, ended: Ended, spool: int | None) -> None:
        if ended.outcome is None:
            self._alone.add(ended.index)
            return
        spooled, product = None, ended.product
        if product is not None and spool is not None:
            smaller = tuple(Spooled(spool, at, size) for at, size in product.smaller)
            spooled = Spooled(spool, product.offset, product.length, product.pixels, smaller)
        self._settle(ended.index, ended.outcome, spooled)

    def _settle(self, index: int, outcome: Outcome, spooled: Spooled | None = None) -> None:
        if index in self._open:
            self._open.remove(index)
            self.on_outcome(index, outcome, spooled)

    def _reject(self, index: int, reason: Reason, detail: str) -> None:
        key = self.assignment.tasks[index].key
        self._settle(index, Outcome(key, Status.REJECTED, reason, detail))

    def _end_overdue(self, lanes: Iterable[LaneProcess]) -> None:
        now = time.monotonic()
        for lane in lanes:
            if not lane.is_alive():  # what a dead one has noted stays there until it is judged
                continue
            noted = lane.danger.read()
            if noted and noted[1] > self.picture_seconds and noted[0] == lane.overdue_index:
                detail = f"The picture took longer than {self.picture_seconds:.0f} s to decode."
                self._reject(noted[0], Reason.DECODER_TIMEOUT, detail)
                lane.process.kill()
            lane.overdue_index = noted[0] if noted and noted[1] > self.picture_seconds else None
            if now - lane.heard_at > self.silent_seconds:
                lane.process.kill()

    def _judge(self, lane: LaneProcess, *, alone: bool) -> None:
        """Decide what the death of a lane means for the picture that it had in the decoder."""
        code = lane.process.wait()
        noted = lane.danger.read()
        if code == 0:
            return
        if noted is None:
            self._count_death(_death(code))
        elif alone:
            self._reject(noted[0], Reason.DECODER_CRASHED, f"The decoder died of {_death(code)}.")
        else:
            self._alone.add(noted[0])

    def _count_death(self, how: str) -> None:
        self._deaths_without_cause += 1
        if self._deaths_without_cause > _DEATHS_WITHOUT_CAUSE:
            raise TryAgainError(f"The processes that do the work die ({how}).")

    def _stop(self, lanes: Sequence[LaneProcess]) -> None:
        """Let lanes finish what they are writing. Always raises TryAgainError."""
        for lane in lanes:
            lane.process.terminate()
        for lane in lanes:
            with suppress(subprocess.TimeoutExpired):
                lane.process.wait(_SECONDS_TO_STOP / len(lanes))
        for lane in lanes:  # what they have finished meanwhile is done
            for report in lane.last_reports():
                for ended in report.ended:
                    self._take(ended, lane.spool)
        raise TryAgainError("The job was told to stop.")


def _death(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
