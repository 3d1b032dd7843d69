"""The job's log: one JSON object per line on standard output, which the tool reads, too."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill_contract.outcomes import Outcome, Status

_SECONDS_BETWEEN_LINES = 1.0


def log(event: str, fields: Mapping[str, object]) -> None:
    line = json.dumps({"event": event, **fields}, ensure_ascii=False)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Progress:
    """How far a job is. `names` are the fields that every line has."""

    names: Mapping[str, object]
    planned: int
    counts: Counter[Status] = field(default_factory=Counter)
    bytes_read: int = 0
    _logged_at: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome, bytes_read: int) -> None:
        self.counts[outcome.status] += 1
        self.bytes_read += bytes_read

    def log_now_and_then(self) -> None:
        """Log about once a second, however often this is called."""
        if time.monotonic() - self._logged_at >= _SECONDS_BETWEEN_LINES:
            self._logged_at = time.monotonic()
            self.log()

    def log(self, event: str = "progress", **more: object) -> None:
        counts = {str(status): self.counts[status] for status in Status}
        done = {"done": self.counts.total(), "planned": self.planned}
        log(event, {**self.names, **done, **counts, "bytes": self.bytes_read, **more})


def cpu_seconds() -> float:
    """Of this process, and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
