"""One job: its state, its attempts, and how DescribeJobs shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from imagemill_engine.batch.spec import JobSpec
from imagemill_engine.shapes import Document


class JobStatus(StrEnum):
    """AWS Batch's own words."""

    SUBMITTED = "SUBMITTED"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class StartError(Exception):
    """The surroundings of a job are not there: its role or its log group."""


FINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED})


def now_ms() -> int:
    """Milliseconds since 1970, as Batch and CloudWatch Logs count."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """How one attempt ended; times in ms since 1970.

    `exit_code` is None when the process could not be started; `reason` then says why.
    """

    started_at: int
    stopped_at: int
    status_reason: str
    exit_code: int | None = None
    reason: str | None = None
    log_stream: str | None = None

    def container(self) -> Document:
        """The members of a container that belong to an attempt."""
        members = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "logStreamName": self.log_stream,
        }
        return {name: value for name, value in members.items() if value is not None}

    def describe(self) -> Document:
        """As one of the `attempts` in DescribeJobs."""
        return {
            "container": self.container(),
            "startedAt": self.started_at,
            "stoppedAt": self.stopped_at,
            "statusReason": self.status_reason,
        }


class Job:
    """A submitted job. Changed by the executor alone; `done` is set once the status is final."""

    def __init__(self, job_id: str, arn: str, spec: JobSpec) -> None:
        self.id = job_id
        self.arn = arn
        self.spec = spec
        self.done = threading.Event()
        self.status = JobStatus.SUBMITTED
        self.status_reason: str | None = None
        self.attempts: list[AttemptOutcome] = []
        self.log_stream: str | None = None
        self._created_at = now_ms()
        self._started_at: int | None = None
        self._stopped_at: int | None = None
        self._lock = threading.Lock()

    def move_to(self, status: JobStatus, reason: str | None = None) -> None:
        """Change the status; a final one stays."""
        with self._lock:
            if self.status in FINAL:
                return
            self.status = status
            self.status_reason = reason
            if status is JobStatus.RUNNING and self._started_at is None:
                self._started_at = now_ms()
            if status in FINAL:
                self._stopped_at = now_ms()
        if status in FINAL:
            self.done.set()

    def summary(self) -> Document:
        """As ListJobs shows it."""
        with self._lock:
            document = {
                "jobId": self.id,
                "jobArn": self.arn,
                "jobName": self.spec.job_name,
                "jobDefinition": self.spec.definition_arn,
                "status": str(self.status),
                "createdAt": self._created_at,
            }
            optional = {
                "statusReason": self.status_reason,
                "startedAt": self._started_at,
                "stoppedAt": self._stopped_at,
            }
            container = self.attempts[-1].container() if self.attempts else {}
        document |= {name: value for name, value in optional.items() if value is not None}
        if container:
            container.pop("logStreamName", None)
            document["container"] = container
        return document

    def describe(self) -> Document:
        """As DescribeJobs shows it."""
        spec = self.spec
        document = self.summary() | {
            "jobQueue": spec.placement.queue_arn,
            "parameters": dict(spec.parameters),
            "retryStrategy": {"attempts": spec.retry.attempts},
            "attempts": [attempt.describe() for attempt in tuple(self.attempts)],
            "container": self._container(),
        }
        if spec.timeout_seconds is not None:
            document["timeout"] = {"attemptDurationSeconds": int(spec.timeout_seconds)}
        return document

    def _container(self) -> Document:
        spec = self.spec
        document = {
            "image": spec.image,
            "command": list(spec.command),
            "jobRoleArn": spec.job_role_arn,
            "environment": _pairs(sorted(spec.environment.items()), "name"),
            "resourceRequirements": _pairs(
                [("VCPU", f"{spec.vcpus:g}"), ("MEMORY", str(spec.memory_mib))], "type"
            ),
        }
        if self.log_stream is not None:
            document["logStreamName"] = self.log_stream
        if self.attempts:
            document |= self.attempts[-1].container()
        return document


def _pairs(items: Sequence[tuple[str, str]], name: str) -> list[dict[str, str]]:
    return [{name: key, "value": value} for key, value in items]
