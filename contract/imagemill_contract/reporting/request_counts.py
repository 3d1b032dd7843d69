"""How many requests a process has made to S3."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass, field

from imagemill_contract.reporting.usage import Request

KEYS_PER_REQUEST = 1000  # of a list, or a bulk delete
_START_AND_END_OF_MULTIPART = 2


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


def puts_of(length_bytes: int, part_bytes: int) -> int:
    """How many requests it takes to write an object that is cut into parts of that length."""
    if length_bytes <= part_bytes:
        return 1
    return math.ceil(length_bytes / part_bytes) + _START_AND_END_OF_MULTIPART


def pages_of(keys: int) -> int:
    """How many requests it takes to list or to delete so many keys."""
    return math.ceil(keys / KEYS_PER_REQUEST)
