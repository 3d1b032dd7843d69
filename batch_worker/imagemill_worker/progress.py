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
from imagemill_contract.reporting.usage import Usage

_SECONDS_BETWEEN_LINES = 1.0
# What CloudWatch makes of the line about a job that has ended; `stage` is the only dimension.
_METRICS = {
    "Objects": "Count",
    "Rejected": "Count",
    "Failed": "Count",
    "Bytes": "Bytes",
    "VcpuSeconds": "Seconds",
    "CpuSeconds": "Seconds",
}


def log(event: str, fields: Mapping[str, object]) -> None:
    line = json.dumps({"event": event, **fields}, ensure_ascii=False)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Pace:
    """Says about once a second, however often it is asked, that a line is due."""

    _last: float = field(default_factory=time.monotonic)

    def is_time(self) -> bool:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return False
        self._last = now
        return True


@dataclass(slots=True)
class Progress:
    """How far a job is. `names` are the fields that every line has."""

    names: Mapping[str, object]
    planned: int
    counts: Counter[Status] = field(default_factory=Counter)
    bytes_read: int = 0
    _pace: Pace = field(default_factory=Pace)

    def add(self, outcome: Outcome, bytes_read: int) -> None:
        self.counts[outcome.status] += 1
        self.bytes_read += bytes_read

    def log_now_and_then(self) -> None:
        """Log about once a second, however often this is called."""
        if self._pace.is_time():
            self.log()

    def log(self, event: str = "progress", **more: object) -> None:
        counts = {str(status): self.counts[status] for status in Status}
        done = {"done": self.counts.total(), "planned": self.planned}
        log(event, {**self.names, **done, **counts, "bytes": self.bytes_read, **more})

    def log_metrics(self, usage: Usage) -> None:
        """Log what the job has done and used in the embedded metric format of CloudWatch.

        Only the attempt that ends a job does, so that an object counts once. Nothing is logged
        unless METRICS_NAMESPACE says where these metrics belong.
        """
        if not (namespace := os.environ.get("METRICS_NAMESPACE")):
            return
        metrics = [{"Name": name, "Unit": unit} for name, unit in _METRICS.items()]
        directive = {"Namespace": namespace, "Dimensions": [["stage"]], "Metrics": metrics}
        values = {
            "Objects": self.counts.total(),
            "Rejected": self.counts[Status.REJECTED],
            "Failed": self.counts[Status.FAILED],
            "Bytes": usage.read_bytes,
            "VcpuSeconds": round(usage.vcpu_seconds, 3),
            "CpuSeconds": round(usage.cpu_seconds, 3),
        }
        timestamp = {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]}
        log("metrics", {**self.names, **values, "_aws": timestamp})


def cpu_seconds() -> float:
    """Of this process, and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
