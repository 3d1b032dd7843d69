"""A lane from its supervisor's side: a process, a note of its picture, a pipe of reports."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from subprocess import Popen

from imagemill_worker.lanes.messages import Assignment, Report, SharedFiles
from imagemill_worker.lanes.shared_memory import CurrentPictureNote, WorkQueue
from imagemill_worker.lanes.spares import LaneStart, next_lane

_READ_BYTES = 1 << 16


@dataclass(slots=True)
class LaneProcess:
    """One child process and what the supervisor knows of it.

    Attributes:
        reports: The end of the pipe that its reports are read from.
        spool: The file in which it leaves products that are packed later.
        heard_at: When the last report came, in monotonic seconds.
        last: That report.
        overdue_index: The picture that was in the decoder for too long at the last look: it is
            blamed when it still is at the next one.
    """

    started: LaneStart
    danger: CurrentPictureNote
    reports: int
    spool: int | None
    heard_at: float = field(default_factory=time.monotonic)
    last: Report = field(default_factory=Report)
    overdue_index: int | None = None
    _received: bytes = b""

    @classmethod
    def start(
        cls, assignment: Assignment, queue: WorkQueue, spool: int | None, intermediate: int | None
    ) -> LaneProcess:
        """Take a process, and tell it what to do."""
        danger = CurrentPictureNote()
        reports, write_end = os.pipe()
        files = SharedFiles(
            queue.file_descriptor, danger.file_descriptor, write_end, spool, intermediate
        )
        lane = cls(next_lane(assignment.stage), danger, reports, spool)
        lane.started.send(files.descriptors(), assignment.encode(files))
        os.close(write_end)
        return lane

    @property
    def process(self) -> Popen[bytes]:
        return self.started.process

    def new_reports(self) -> Iterator[Report] | None:
        """Read the reports that have come, at least one; None at the end of the pipe."""
        data = os.read(self.reports, _READ_BYTES)
        if not data:
            return None
        self.heard_at = time.monotonic()
        *lines, self._received = (self._received + data).split(b"\n")
        return self._decoded(lines)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def last_reports(self) -> Iterator[Report]:
        """End the process, and return the reports that it had still sent."""
        self.process.kill()
        while (reports := self.new_reports()) is not None:
            yield from reports

    def close(self) -> None:
        """Kill the process and forget it."""
        self.started.close()
        os.close(self.reports)
        self.danger.close()

    def _decoded(self, lines: list[bytes]) -> Iterator[Report]:
        for line in lines:
            self.last = Report.decode(line)
            yield self.last
