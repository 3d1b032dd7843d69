"""What the executor needs from the place that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagemill_engine.batch.log_stream import LogSink
from imagemill_engine.batch.spec import JobSpec


def _nobody_asks(_group: int) -> None:
    """The default of the group callbacks."""


def _may_start(_spec: JobSpec) -> None:
    """The default of `check_start`."""


@dataclass(frozen=True, slots=True)
class Host:
    """The surroundings of all jobs.

    Attributes:
        vcpus: vCPUs of jobs that run at a time.
        jobs_folder: Holds a working folder for each job that runs.
        base_env: What every job finds in its environment.
        credentials: (role ARN, session name) -> environment variables. Raises StartError.
        logs: Takes the output of the jobs.
        job_arn: The ARN of a job's id.
        check_start: Raises StartError for a job whose image or log is out of reach.
        stop_grace_seconds: Between SIGTERM and SIGKILL; AWS Batch gives 30.
        group_started: Told the process group of every attempt.
        group_ended: Told it again when the attempt has ended.
    """

    vcpus: float
    jobs_folder: Path
    base_env: Mapping[str, str]
    credentials: Callable[[str, str], Mapping[str, str]]
    logs: LogSink
    job_arn: Callable[[str], str]
    check_start: Callable[[JobSpec], None] = _may_start
    stop_grace_seconds: float = 30.0
    group_started: Callable[[int], None] = _nobody_asks
    group_ended: Callable[[int], None] = _nobody_asks
