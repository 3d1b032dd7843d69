"""What runs on behalf of an execution, so that it can be stopped as a whole.

Scopes are a tree: an execution, the children of its distributed Map, an attempt with a timeout.
The current one travels in a context variable, which the emulator copies into its worker threads.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Optional


class ExecutionStopped(SystemExit):
    """Unwinds a thread of a stopped execution.

    A SystemExit, because no `except Exception` of the emulator may take it for a failed state,
    and because the end of a thread by it is silent.
    """


class Scope:
    def __init__(
        self, execution: dict[str, Any], role_arn: str, parent: Optional["Scope"] = None
    ) -> None:
        self.execution = execution
        self.role_arn = role_arn
        self.parent = parent
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._stoppers: list[Callable[[str], None]] = []

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def check(self) -> None:
        if self.is_stopped:
            raise ExecutionStopped

    def sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self.check()

    def stop(self, reason: str) -> None:
        with self._lock:
            self._stopped.set()
            stoppers, self._stoppers = self._stoppers, []
        for stopper in stoppers:
            stopper(reason)

    @contextlib.contextmanager
    def stopping(self, stopper: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, `stop` calls `stopper` with its reason."""
        with self._lock:
            if not self.is_stopped:
                self._stoppers.append(stopper)
        if self.is_stopped:
            stopper("Execution was stopped")
            raise ExecutionStopped
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._stoppers.remove(stopper)


_current: ContextVar[Scope | None] = ContextVar("imagemill_scope", default=None)


def current() -> Scope | None:
    return _current.get()


@contextlib.contextmanager
def entered(scope: Scope) -> Iterator[Scope]:
    """Make a scope the current one, and part of its parent, while the block runs."""
    token = _current.set(scope)
    try:
        if scope.parent is None:
            yield scope
        else:
            with scope.parent.stopping(scope.stop):
                yield scope
    finally:
        _current.reset(token)
