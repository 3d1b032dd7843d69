"""Reads from the Map's results which job of which shard failed, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_app.stores import read_bytes
from imagemill_contract.locations import Location


@dataclass(frozen=True, slots=True)
class JobFailure:
    """A job that was given up after its retries.

    Attributes:
        stage: Stage of the job, or "" if the item failed outside a job.
        cause: One sentence.
        job_id: AWS Batch's id, or "" if there was no job.
        log_stream: Of its last attempt, in the log group of the jobs; "" if none has started.
    """

    stage: str
    cause: str
    job_id: str = ""
    log_stream: str = ""

    def __str__(self) -> str:
        pointers = {"job": self.job_id, "log stream": self.log_stream}
        found = ", ".join(f"{what} {name}" for what, name in pointers.items() if name)
        return f"{self.cause} ({found})" if found else self.cause


def job_failures(bucket: Location, manifest_key: str) -> dict[str, JobFailure]:
    """Failures by shard id, read from what the Map's ResultWriter left."""
    manifest = json.loads(read_bytes(bucket, manifest_key))
    failures: dict[str, JobFailure] = {}
    for entries in manifest["ResultFiles"].values():
        for entry in entries:
            for row in json.loads(read_bytes(bucket, entry["Key"])):
                failures.update(_failure_of(row))
    return failures


def _failure_of(row: Mapping[str, Any]) -> Iterator[tuple[str, JobFailure]]:
    item = json.loads(row["Input"])
    if row["Status"] != "SUCCEEDED":
        cause = f"{row.get('Error', 'error')}: {row.get('Cause', 'no cause was given')}"
        yield item["shard_id"], JobFailure("", cause)
        return
    failure = json.loads(row["Output"]).get("failure")
    if failure:
        yield item["shard_id"], _job_failure(failure)


def _job_failure(failure: Mapping[str, str]) -> JobFailure:
    """Read the cause from Step Functions: the job's description as JSON, or plain text."""
    stage, error, cause = failure["stage"], failure["error"], failure.get("cause") or ""
    try:
        job = json.loads(cause)
    except ValueError:
        return JobFailure(stage, f"{error}: {cause}")
    container = job.get("Container") or {}
    exit_code = container.get("ExitCode")
    ended = f", exit code {exit_code}" if exit_code is not None else ""
    reason = container.get("Reason") or job.get("StatusReason") or "no reason was given"
    attempts = len(job.get("Attempts") or [])
    sentence = f"The {stage} job failed after {attempts} attempts: {reason}{ended}."
    log_stream = container.get("LogStreamName") or ""
    return JobFailure(stage, sentence, str(job.get("JobId", "")), log_stream)
