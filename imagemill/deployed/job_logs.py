"""The progress of a run's jobs, read from the worker's log group."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from imagemill_contract.keys import Stage

EVENTS = ("start", "progress", "end")  # lines with counts; the last one has them all
RATE_MS = 60_000


@dataclass(slots=True)
class StageProgress:
    """Sums over the shards of one stage."""

    done: int = 0
    written: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(slots=True)
class JobLogs:
    """Reads new log lines of one run. `logs` is a CloudWatch Logs client."""

    logs: Any
    group_name: str
    run_id: str
    since_ms: int
    _latest: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _recent: dict[tuple[str, str], deque[tuple[int, int]]] = field(default_factory=dict)

    def read(self) -> dict[str, StageProgress]:
        """The progress of each stage: the latest line of each shard, summed."""
        for event in self._new_events(EVENTS):
            self._take(event)
            self.since_ms = max(self.since_ms, event["timestamp"])
        sums: dict[str, StageProgress] = {}
        for (stage, _), row in self._latest.items():
            total = sums.setdefault(stage, StageProgress())
            total.done += row["done"]
            total.written += row["written"]
            total.rejected += row["rejected"]
            total.failed += row["failed"]
        return sums

    def skip_to(self, now_ms: int) -> None:
        """Read only how jobs have ended, and go on with the lines of the last minute.

        A running job writes a line each second, so that this misses none of them.
        """
        if now_ms - self.since_ms > RATE_MS:
            for event in self._new_events(("end",)):
                self._take(event)
            self.since_ms = now_ms - RATE_MS

    def rates(self) -> dict[str, float]:
        """Images per second of each stage in the last minute that has lines; 0 if unknown."""
        return {stage: self._rate(stage) for stage in Stage}

    def _rate(self, stage: str) -> float:
        lines = [rows for (of, _), rows in self._recent.items() if of == stage and rows]
        if not lines:
            return 0.0
        newest = max(rows[-1][0] for rows in lines)
        recent = [[row for row in rows if row[0] > newest - RATE_MS] for rows in lines]
        recent = [rows for rows in recent if rows]
        milliseconds = newest - min(rows[0][0] for rows in recent)
        done = sum(rows[-1][1] - rows[0][1] for rows in recent)
        return 1000 * done / milliseconds if milliseconds else 0.0

    def _take(self, event: dict[str, Any]) -> None:
        row = _progress_row(event["message"])
        if row is None or row.get("run_id") != self.run_id:
            return
        shard = row["stage"], row["shard_id"]
        self._latest[shard] = row
        rows = self._recent.setdefault(shard, deque())
        rows.append((event["timestamp"], row["done"]))
        while rows[0][0] <= event["timestamp"] - RATE_MS:
            rows.popleft()

    def _new_events(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        wanted = " || ".join(f'$.event = "{name}"' for name in names)
        events: list[dict[str, Any]] = []
        # lines of the last millisecond come twice, which changes nothing
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.group_name,
            startTime=self.since_ms,
            filterPattern=f'{{ ($.run_id = "{self.run_id}") && ({wanted}) }}',
        )
        for page in pages:
            events += page["events"]
        return events


def _progress_row(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        row: dict[str, Any] = json.loads(message)
    except ValueError:
        return None
    return row if row.get("event") in EVENTS else None
