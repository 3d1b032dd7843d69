"""How far a run of a stack is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.deployed.clients import plainly
from imagemill.deployed.documents import planned_run, report_of
from imagemill.deployed.files import BucketFiles
from imagemill.deployed.job_logs import JobLogs, StageProgress
from imagemill.deployed.runs import Run, run_named
from imagemill.deployed.stack import DeployedStack

SHARD_STATES = ("running", "succeeded", "failed", "timedOut", "aborted", "pending")


@dataclass(frozen=True, slots=True)
class Look:
    """A run at one moment.

    Attributes:
        planned: Its plan in numbers; None until it is planned.
        report: Its report; None until it has one.
        stages: What the jobs of each stage have logged; empty once there is a report.
        rates: Images per second of each stage.
        shards: How many are in which state of `SHARD_STATES`.
    """

    run: Run
    planned: Mapping[str, Any] | None
    report: Mapping[str, Any] | None = None
    stages: Mapping[str, StageProgress] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    shards: Mapping[str, int] = field(default_factory=dict)


class Watch:
    """Looks at a run, again and again. Raises UsageError if there is none of that name."""

    def __init__(self, stack: DeployedStack, run_id: str | None) -> None:
        self.run = run_named(stack, run_id)
        self._stack = stack
        self._files = BucketFiles(stack.client("s3"), stack.output_bucket)
        started_ms = int(self.run.started.timestamp() * 1000) if self.run.started else 0
        group = stack.outputs["WorkerLogGroupName"]
        self._logs = JobLogs(stack.client("logs"), group, self.run.run_id, started_ms)
        self._planned: Mapping[str, Any] | None = None

    def look(self) -> Look:
        """The run as it is now."""
        self.run = run_named(self._stack, self.run.run_id)
        self._planned = self._planned or planned_run(self._files, self.run.run_id)
        if not self.run.is_running:
            report = report_of(self._files, self.run.run_id)
            if report is not None:
                return Look(self.run, self._planned, report)
        if self._planned is None:
            return Look(self.run, None)
        with plainly():
            self._logs.skip_to(int(time.time() * 1000))
            stages = self._logs.read()
            shards = self._shards()
        return Look(self.run, self._planned, None, stages, self._logs.rates(), shards)

    def is_quiet(self) -> bool:
        """Whether no shard can submit another job: shards end a little later than their run."""
        with plainly():
            return self._map_run().get("status") != "RUNNING"

    def _shards(self) -> dict[str, int]:
        """How many shards are in which state; empty before the run gets to them."""
        counts = self._map_run().get("itemCounts", {})
        return {name: counts.get(name, 0) for name in SHARD_STATES} if counts else {}

    def _map_run(self) -> Mapping[str, Any]:
        states = self._stack.client("stepfunctions")
        runs = states.list_map_runs(executionArn=self.run.execution_arn)["mapRuns"]
        if not runs:
            return {}
        found: Mapping[str, Any] = states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
        return found
