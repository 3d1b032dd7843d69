"""A budget for the bytes that threads hold at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ByteBudget:
    """Lets threads hold bytes up to a limit. A thread that needs more waits until it is alone."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, wanted_bytes: int) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(wanted_bytes))
            self._held_bytes += wanted_bytes
        try:
            yield
        finally:
            with self._changed:
                self._held_bytes -= wanted_bytes
                self._changed.notify_all()

    def _has_room(self, wanted_bytes: int) -> bool:
        return self._held_bytes == 0 or self._held_bytes + wanted_bytes <= self._limit_bytes
