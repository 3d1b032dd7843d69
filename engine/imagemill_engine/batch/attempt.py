"""One attempt of a job: a process in a session of its own, watched until it has ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill_engine.batch.log_stream import LogStream

TICK_SECONDS = 0.1
READ_BYTES = 65_536

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process ended. `stop_reason` is None when nobody called `stop`."""

    exit_code: int
    stop_reason: str | None


class JobProcess:
    """The process group of one attempt. `stop` may be called from any thread."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], folder: Path, grace_seconds: float
    ) -> None:
        """Start the process. Raises OSError when that is not possible."""
        if not command:
            raise FileNotFoundError(0, "the job has no command")
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._stop_reason: str | None = None
        self._kill_at: float | None = None
        self._process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.group = self._process.pid

    def stop(self, reason: str) -> None:
        """SIGTERM now, SIGKILL when the grace time is over. The first reason stays.

        SIGTERM goes to the first process alone, as to the one of a container; SIGKILL to all.
        """
        with self._lock:
            if self._stop_reason is not None or self._process.returncode is not None:
                return
            self._stop_reason = reason
            self._kill_at = time.monotonic() + self._grace_seconds
            self._process.terminate()

    def wait(self, log: LogStream, timeout_seconds: float | None) -> ProcessEnd:
        """Pass the output on until the process has ended, and stop it at its timeout."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        assert self._process.stdout is not None  # noqa: S101 # asked for by PIPE
        output = self._process.stdout.fileno()
        os.set_blocking(output, False)
        with self._process, selectors.DefaultSelector() as selector:
            try:
                self._follow(output, log, deadline, selector)
            finally:  # what is left of the group goes with its first process, as in a container
                self._kill_group()
            while _forward(output, log):
                pass
        code = self._process.returncode
        return ProcessEnd(code if code >= 0 else 128 - code, self._stop_reason)

    def _follow(
        self,
        output: int,
        log: LogStream,
        deadline: float | None,
        selector: selectors.BaseSelector,
    ) -> None:
        selector.register(output, selectors.EVENT_READ)
        with _exit_descriptor(self.group) as ended:
            if ended is not None:
                selector.register(ended, selectors.EVENT_READ)
            while not self._has_ended():
                ready = {key.fd for key, _ in selector.select(TICK_SECONDS)}
                if output in ready and not _forward(output, log):
                    selector.unregister(output)
                log.flush_when_due()
                self._enforce(deadline)

    def _has_ended(self) -> bool:
        with self._lock:
            return self._process.poll() is not None

    def _enforce(self, deadline: float | None) -> None:
        if deadline is not None and time.monotonic() >= deadline:
            self.stop(TIMED_OUT)
        with self._lock:
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)


def _forward(descriptor: int, log: LogStream) -> bool:
    """Pass on what can be read now; False at the end of the output, or when nothing is there."""
    try:
        received = os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return False
    log.feed(received)
    return bool(received)


@contextlib.contextmanager
def _exit_descriptor(process: int) -> Iterator[int | None]:
    """Readable as soon as the process has ended; None where the system has no such thing."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
