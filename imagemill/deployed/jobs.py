"""The Batch jobs of a run, found by their names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from imagemill.deployed.clients import AT_ONCE, plainly
from imagemill.deployed.stack import DeployedStack
from imagemill.errors import RunFailedError
from imagemill_contract.keys import Stage

ENDED = ("SUCCEEDED", "FAILED")
END_SECONDS = 120.0  # AWS Batch kills a job 30 seconds after it was told to end
POLL_SECONDS = 0.25

Job = Mapping[str, Any]  # as ListJobs gives it


def active_jobs(stack: DeployedStack, run_id: str) -> list[Job]:
    """Jobs of a run that wait, start or run."""
    with plainly():
        return [job for stage in Stage for job in _jobs_named(stack, f"{_prefix(stage, run_id)}*")]


def terminated_jobs(
    stack: DeployedStack,
    run_id: str,
    reason: str,
    *,
    is_quiet: Callable[[], bool],
    tick: Callable[[int], None],
) -> int:
    """End all jobs of a run, whose execution is over, and return how many there were.

    Args:
        stack: Where the run is.
        run_id: Of the run.
        reason: What AWS Batch says of the jobs from then on.
        is_quiet: Whether the run can submit no other job.
        tick: Called with the number of jobs that have not ended yet.

    Raises:
        RunFailedError: Some do not end.
    """
    batch, told = stack.client("batch"), set[str]()
    deadline = time.monotonic() + END_SECONDS
    for active in _until_none(lambda: active_jobs(stack, run_id), is_quiet):
        fresh = [job["jobId"] for job in active if job["jobId"] not in told]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda job_id: _terminate(batch, job_id, reason), fresh))
        told.update(fresh)
        tick(len(active))
        if active and time.monotonic() > deadline:
            raise RunFailedError(
                f"{len(active)} jobs of {run_id} have not ended after {END_SECONDS:.0f} seconds. "
                "Run the same command again to go on."
            )
    return len(told)


def _until_none(ask: Callable[[], list[Job]], is_quiet: Callable[[], bool]) -> Iterator[list[Job]]:
    """Answers until one is empty that was asked for when the run was quiet already."""
    while True:
        was_quiet = is_quiet()
        found = ask()
        yield found
        if was_quiet and not found:
            return
        time.sleep(POLL_SECONDS)


def _terminate(batch: Any, job_id: str, reason: str) -> None:
    with plainly():
        try:
            batch.terminate_job(jobId=job_id, reason=reason)
        except ClientError as error:  # it has ended and is forgotten
            if error.response["Error"].get("Code") != "ClientException":
                raise


def _jobs_named(stack: DeployedStack, pattern: str) -> Iterator[Job]:
    """Jobs that have not ended. A filter by name gives those of all states."""
    jobs = stack.client("batch").get_paginator("list_jobs")
    filters = [{"name": "JOB_NAME", "values": [pattern]}]
    for queue in stack.job_queues:
        for page in jobs.paginate(jobQueue=queue, filters=filters):
            yield from (job for job in page["jobSummaryList"] if job["status"] not in ENDED)


def _prefix(stage: Stage, run_id: str) -> str:
    """How the state machine begins the names of a run's jobs of a stage."""
    return f"{stage}-{run_id.replace('.', '_')}-"
