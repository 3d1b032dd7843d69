"""How many requests a process has made to S3."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from imagemill_contract.reporting.usage import Request


@dataclass(slots=True)
class RequestCounts:
    """How many requests a process has made, over all its threads."""

    _counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: Request, count: int = 1) -> None:
        with self._lock:
            self._counts[str(kind)] += count

    def so_far(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
