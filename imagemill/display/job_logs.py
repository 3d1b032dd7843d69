"""The progress of a run's jobs, read from the worker's log group."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


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

    def read(self) -> dict[str, StageProgress]:
        """The progress of each stage: the latest line of each shard, summed."""
        for event in self._new_events():
            row = _progress_row(event["message"])
            if row and row.get("run_id") == self.run_id:
                self._latest[row["stage"], row["shard_id"]] = row
            self.since_ms = max(self.since_ms, event["timestamp"])
        sums: dict[str, StageProgress] = {}
        for (stage, _), row in self._latest.items():
            total = sums.setdefault(stage, StageProgress())
            total.done += row["done"]
            total.written += row["written"]
            total.rejected += row["rejected"]
            total.failed += row["failed"]
        return sums

    def _new_events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        # lines of the last millisecond come twice, which changes nothing
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.group_name, startTime=self.since_ms
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
    return row if row.get("event") == "progress" else None
