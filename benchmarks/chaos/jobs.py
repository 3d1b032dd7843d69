"""Jobs as AWS Batch runs them: a process for each attempt, and another one when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.pace import worker_environment
from benchmarks.chaos.places import Place
from imagemill_contract.errors import WorkerExit
from imagemill_contract.keys import Stage

ATTEMPTS = 4  # of the template
_ENDED = os.WEXITED | os.WNOWAIT
_SECONDS = 180  # none of our jobs takes longer, whatever is done to it


@dataclass(frozen=True)
class Attempt:
    """A process of the worker, in a session of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, place: Place, stage: Stage, shard: str, log: Path, pace: Path | None, seconds: float
    ) -> Attempt:
        """`seconds` are what a picture takes beside its work."""
        environment = {
            **worker_environment(pace),
            **place.environment,
            "CHAOS_SECONDS": str(seconds),
        }
        command = [sys.executable, "-m", "imagemill_worker", str(stage), "--shard", shard]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*command, "--threads", "4", "--vcpus", "2"],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(process, log)

    def is_alive(self) -> bool:
        """It is not reaped before `ended`, so that its id is nobody else's."""
        if self.process.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.process.pid, _ENDED | os.WNOHANG) is None

    def lanes(self) -> list[int]:
        """Process ids of its children."""
        pid = self.process.pid
        with suppress(OSError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def signal(self, number: int) -> bool:
        """Whether it was alive to hear it."""
        return self.is_alive() and _sent(self.process.pid, number)

    def signal_lane(self, number: int, choice: float) -> int | None:
        """The lane that was hit; `choice` is a number below 1."""
        lanes = self.lanes()
        if not lanes:
            return None
        lane = lanes[int(choice * len(lanes))]
        return lane if _sent(lane, number) else None

    def ended(self) -> int:
        """The exit code, after all of its processes have ended. Raises TimeoutError."""
        if self.process.returncode is None:
            deadline = time.monotonic() + _SECONDS
            while self.is_alive():
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"{self.process.args!r} does not end")
                time.sleep(0.02)
            os.killpg(self.process.pid, signal.SIGKILL)  # its lanes, as with a container
        return self.process.wait()


def is_tried_again(code: int) -> bool:
    """As `EvaluateOnExit` has it, and a machine that was taken back."""
    return code == WorkerExit.TRY_AGAIN or code < 0


def _sent(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
