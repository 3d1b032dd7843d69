"""Processes of lanes: started early, because what they import takes longer than reading a job.

A process has a socket for its standard input. On it come the descriptors that it shares with its
supervisor and its assignment, and at last, however the supervisor ends, the end of file.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

_MOST_DESCRIPTORS = 8


@dataclass(frozen=True, slots=True)
class LaneStart:
    """A process that waits for its assignment."""

    process: subprocess.Popen[bytes]
    link: socket.socket

    @classmethod
    def of(cls, stage: str) -> LaneStart:
        """Start a process that imports what the stage needs."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "imagemill_worker.lanes", stage],
                stdin=theirs.fileno(),
                stdout=sys.stderr.fileno(),
                env={**os.environ, **LANE_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        return cls(process, ours)

    def send(self, descriptors: Sequence[int], message: bytes) -> None:
        """Tell the process what to do. One that is dead already will be found so."""
        with suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.link, [b"\n"], descriptors)
            self.link.sendall(message)

    def close(self) -> None:
        """Kill the process and forget it."""
        self.process.kill()
        self.process.wait()
        self.link.close()


_spares: list[LaneStart] = []


def start_spares(stage: str, count: int) -> None:
    """Start the first processes of a job."""
    _spares.extend(LaneStart.of(stage) for _ in range(count))


def next_lane(stage: str) -> LaneStart:
    """A process that waits for its assignment: a spare one, or a new one."""
    return _spares.pop() if _spares else LaneStart.of(stage)


def close_spares() -> None:
    """End those that nobody wanted."""
    while _spares:
        _spares.pop().close()


def received(link: socket.socket) -> tuple[list[int], bytes]:
    """What `send` has sent, in the process of the lane; no bytes if the supervisor has ended."""
    _, descriptors, _, _ = socket.recv_fds(link, 1, _MOST_DESCRIPTORS)
    message = b""
    while not message.endswith(b"\n"):
        data = link.recv(1 << 20)
        if not data:
            return descriptors, b""
        message += data
    return descriptors, message
