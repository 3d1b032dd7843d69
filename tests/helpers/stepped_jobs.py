"""Attempts of a job in this process, which a test lets go from one request to the next.

An attempt is the worker's own code but for its lanes: what they would do is done in its thread. Of
all threads one runs at a time, so that each interleaving can be had again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from typing import BinaryIO

from imagemill_contract.keys import Stage
from imagemill_worker.attempt import Attempt
from imagemill_worker.errors import TryAgainError
from imagemill_worker.job import open_job
from imagemill_worker.stores.faults import FaultKind, StoreFault


class Killed(BaseException):
    """The process of the attempt is gone: nothing of it is done any more."""


class SteppedObjects:
    """Objects by key, in memory; `before` is called before each request, with its name and key."""

    def __init__(self, before: Callable[[str, str], None] = lambda *_: None) -> None:
        self.bodies: dict[str, bytes] = {}
        self.before = before

    def get(self, key: str, etag: str = "") -> memoryview:
        self.before("get", key)
        if key not in self.bodies:
            raise StoreFault(FaultKind.GONE, "NoSuchKey", f"There is no {key!r}.")
        return memoryview(self.bodies[key])

    def put(self, key: str, body: bytes, *, durable: bool = False) -> str:
        self.before("put", key)
        self.bodies[key] = body
        return hashlib.sha256(body).hexdigest()[:32]

    def create(self, key: str, body: bytes) -> bool:
        self.before("put", key)
        return self.bodies.setdefault(key, body) is body

    def put_file(self, key: str, file: BinaryIO) -> None:
        file.seek(0)
        self.put(key, file.read())

    def fetch(self, key: str, file: BinaryIO) -> None:
        file.write(self.get(key))

    def head(self, key: str) -> None:
        self.get(key)

    def keys(self, prefix: str) -> list[str]:
        self.before("list", prefix)
        return sorted(key for key in self.bodies if key.startswith(prefix))

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.before("remove", key)
            self.bodies.pop(key, None)


class SteppedAttempt:
    """One attempt in a thread, which runs only while `step` waits for it.

    Attributes:
        is_over: Whether it has ended, in whichever way.
        is_done: Whether it came to its own end.
        error: What it has raised that no attempt should.
        has_failures: Whether some of its outcomes are not what they would be in quiet.
        ticks: Whether its supervisor looks at the clock after each task.
        stopping: Set when it is told to stop.
    """

    current: threading.local = threading.local()

    def __init__(self, stage: Stage, address: str) -> None:
        self.is_over = self.is_done = self.has_failures = self._is_killed = False
        self.ticks = True
        self.stopping = threading.Event()
        self.error: BaseException | None = None
        self._resume, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(stage, address), daemon=True)
        self._thread.start()
        self._paused.acquire()

    def step(self, count: int = 1) -> None:
        """Let it go on, so many requests or tasks."""
        for _ in range(count):
            if not self.is_over:
                self._resume.release()
                self._paused.acquire()

    def finish(self) -> None:
        while not self.is_over:
            self.step()

    def kill(self) -> None:
        self._is_killed = True
        self.finish()
        self._thread.join()

    def die(self) -> None:
        """Of the attempt's own thread. Raises Killed."""
        self._is_killed = True
        raise Killed

    def pause(self) -> None:
        """Of the attempt's own thread: wait for the next step. Raises Killed."""
        if not self._is_killed:
            self._paused.release()
            self._resume.acquire()
        if self._is_killed:
            raise Killed

    def _run(self, stage: Stage, address: str) -> None:
        SteppedAttempt.current.attempt = self
        try:
            self.pause()
            Attempt(open_job(stage, address), 1, 1, self.stopping).run()
            self.is_done = True
        except (Killed, TryAgainError):
            pass
        except BaseException as error:  # noqa: BLE001 # given to the test
            self.error = error
        finally:
            self.is_over = True
            self._paused.release()
