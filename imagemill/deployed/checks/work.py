"""What do jobs and runs say? Jobs that wait for long, the last that failed, the last run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imagemill.deployed.checks.finding import Finding, broken, ok, warning
from imagemill.deployed.runs import RunState, described, latest_runs
from imagemill.deployed.stack import DeployedStack

JOBS, RUNS = "jobs", "last run"
LONG_WAIT_SECONDS = 600
DAY_SECONDS = 86_400
_HINTS = {
    "CannotPullContainerError": "make worker-image",
    "ResourceInitializationError": "Look at the network and at the rights of WorkerExecutionRole.",
    "Host EC2": "The Spot machine was taken back; AWS Batch tries again by itself.",
    "exec format error": "The image is for another processor: make worker-image",
    "OutOfMemoryError": "Give the jobs more memory in template.yaml.",
}

Job = Mapping[str, Any]


def jobs(stack: DeployedStack) -> Iterator[Finding]:
    """Jobs that have waited for long, and why the last one failed, in AWS Batch's own words."""
    now = datetime.now(UTC).timestamp()
    waiting = _listed(stack, "RUNNABLE")
    oldest = min((job["createdAt"] / 1000 for job in waiting), default=now)
    if now - oldest > LONG_WAIT_SECONDS:
        reasons = {_reason(job) for job in waiting} - {""}
        said = f": {'; '.join(sorted(reasons))}" if reasons else ""
        yield broken(
            JOBS,
            f"{len(waiting):,} have waited for up to {(now - oldest) / 60:.0f} minutes{said}",
            "Look at compute environment, vCPU limit and network above. If these are well, AWS has "
            "no such machines at the moment.",
        )
    failed = [job for job in _listed(stack, "FAILED") if now - _stopped(job) < DAY_SECONDS]
    if failed:
        last = max(failed, key=_stopped)
        yield warning(
            JOBS,
            f"the last one that failed is {last['jobName']}: {_reason(last)}",
            _hint(_reason(last)),
        )
    elif now - oldest <= LONG_WAIT_SECONDS:
        running = len(_listed(stack, "RUNNING"))
        yield ok(JOBS, f"{running:,} run, {len(waiting):,} wait, none has failed in a day")


def last_run(stack: DeployedStack) -> Iterator[Finding]:
    """How the latest run ended."""
    latest = next(iter(latest_runs(stack, 1)), None)
    if latest is None:
        yield ok(RUNS, "there is none yet")
        return
    run = described(stack, latest)
    if run.state in (RunState.FAILED, RunState.REFUSED):
        said = f": {run.cause}" if run.cause else ""
        yield warning(
            RUNS, f"{run.run_id}: {run.state}{said}", f"imagemill status {run.run_id} says more."
        )
    else:
        yield ok(
            RUNS, f"{run.run_id} is {run.state}" if run.is_running else f"{run.run_id} {run.state}"
        )


def _listed(stack: DeployedStack, status: str) -> Sequence[Job]:
    """Up to a hundred jobs of each queue in a state."""
    batch = stack.client("batch")
    listed = [
        batch.list_jobs(jobQueue=queue, jobStatus=status, maxResults=100)
        for queue in stack.job_queues
    ]
    return [job for page in listed for job in page["jobSummaryList"]]


def _reason(job: Job) -> str:
    words = [job.get("statusReason", ""), job.get("container", {}).get("reason", "")]
    code = job.get("container", {}).get("exitCode")
    said = [word for word in words if word] + ([f"exit code {code}"] if code else [])
    return ", ".join(dict.fromkeys(said))


def _stopped(job: Job) -> float:
    return float(job.get("stoppedAt", job["createdAt"])) / 1000


def _hint(reason: str) -> str:
    for word, hint in _HINTS.items():
        if word in reason:
            return hint
    return "Its lines are in the log group of the jobs; `imagemill failures` lists its pictures."
