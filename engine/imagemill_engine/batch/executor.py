"""Runs jobs first in, first out within the vCPUs of the machine and of the environment."""

import logging
import shutil
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagemill_engine.batch.attempt import EXITED, JobProcess
from imagemill_engine.batch.job import FINAL, AttemptOutcome, Job, JobStatus, StartError, now_ms
from imagemill_engine.batch.logs import LogSink, LogStream
from imagemill_engine.batch.spec import JobSpec

logger = logging.getLogger(__name__)

CANNOT_START = "CannotStartContainerError"


def _nobody_asks(_group: int) -> None:
    """The default of the group callbacks."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the executor needs from the place that it runs in."""

    vcpus: float
    jobs_folder: Path
    base_env: Mapping[str, str]
    credentials: Callable[[str, str], Mapping[str, str]]  # (role ARN, session name) -> variables
    logs: LogSink
    job_arn: Callable[[str], str]
    stop_grace_seconds: float = 30.0  # what AWS Batch gives
    group_started: Callable[[int], None] = _nobody_asks
    group_ended: Callable[[int], None] = _nobody_asks


class Executor:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._used_vcpus: defaultdict[str, float] = defaultdict(float)  # by environment
        self._stop_reasons: dict[str, str] = {}
        self._processes: dict[str, JobProcess] = {}

    def submit(self, spec: JobSpec) -> Job:
        job_id = str(uuid.uuid4())
        job = Job(job_id, self._host.job_arn(job_id), spec)
        with self._lock:
            self._jobs[job.id] = job
            self._waiting.append(job)
            job.move_to(JobStatus.RUNNABLE)
            self._start_what_fits()
        return job

    def find(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def jobs(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job in whatever state it is; a final one stays as it is."""
        with self._lock:
            self.cancel(job_id, reason)
            job = self._jobs.get(job_id)
            if job is None or job.status in FINAL:
                return
            self._stop_reasons.setdefault(job_id, reason)
            process = self._processes.get(job_id)
        if process is not None:
            process.stop(reason)

    def cancel(self, job_id: str, reason: str) -> None:
        """End a job that has not been started; any other one goes on."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job not in self._waiting:
                return
            self._waiting.remove(job)
            job.move_to(JobStatus.FAILED, reason)
            self._start_what_fits()

    def _start_what_fits(self) -> None:
        """A job that does not fit holds back the later ones of its queue, as on AWS."""
        blocked: set[str] = set()
        for job in tuple(self._waiting):
            queue = job.spec.placement.queue_arn
            if queue in blocked:
                continue
            if not self._fits(job.spec):
                blocked.add(queue)
                continue
            self._waiting.remove(job)
            self._used_vcpus[job.spec.placement.compute_environment_name] += self._share(job.spec)
            job.move_to(JobStatus.STARTING)
            threading.Thread(
                target=self._run, args=(job,), daemon=True, name=f"job-{job.id}"
            ).start()

    def _share(self, spec: JobSpec) -> float:
        """A job that wants more than this machine has gets all of it rather than none."""
        return min(spec.vcpus, self._host.vcpus)

    def _fits(self, spec: JobSpec) -> bool:
        place = spec.placement
        share = self._share(spec)
        return (
            spec.vcpus <= place.max_vcpus
            and self._used_vcpus[place.compute_environment_name] + share <= place.max_vcpus
            and sum(self._used_vcpus.values()) + share <= self._host.vcpus
        )

    def _run(self, job: Job) -> None:
        folder = self._host.jobs_folder / job.id
        try:
            self._run_attempts(job, folder)
        except Exception as error:
            logger.exception("Job %s", job.id)
            job.move_to(JobStatus.FAILED, f"The executor failed: {error!r}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with self._lock:
                environment = job.spec.placement.compute_environment_name
                self._used_vcpus[environment] -= self._share(job.spec)
                self._stop_reasons.pop(job.id, None)
                self._start_what_fits()

    def _run_attempts(self, job: Job, folder: Path) -> None:
        number = 1
        while True:
            outcome = self._attempt(job, number, folder)
            job.attempts.append(outcome)
            stopped = job.id in self._stop_reasons
            if outcome.exit_code == 0 and not stopped:
                job.move_to(JobStatus.SUCCEEDED, outcome.status_reason)
                return
            wanted = job.spec.retry.wants_retry(
                number, outcome.exit_code, outcome.reason, outcome.status_reason
            )
            if stopped or not wanted:
                reason = self._stop_reasons.get(job.id, outcome.status_reason)
                job.move_to(JobStatus.FAILED, reason)
                return
            number += 1
            job.move_to(JobStatus.STARTING)

    def _attempt(self, job: Job, number: int, folder: Path) -> AttemptOutcome:
        spec = job.spec
        started_at = now_ms()
        stream = f"{spec.log.stream_prefix}/default/{uuid.uuid4().hex}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            env = self._env(job, number, folder)
            log = LogStream(self._host.logs, spec.log, stream)
            process = self._start(job, env, folder)
        except (OSError, StartError) as error:
            reason = f"{CANNOT_START}: {error}"
            return AttemptOutcome(started_at, now_ms(), "Task failed to start", reason=reason)
        job.log_stream = stream
        job.move_to(JobStatus.RUNNING)
        try:
            end = process.wait(log, spec.timeout_seconds)
        finally:
            self._forget(job, process)
        log.close()
        if end.stop_reason is not None:  # by its timeout, too: such an attempt is the last one
            self._stop_reasons.setdefault(job.id, end.stop_reason)
        return AttemptOutcome(
            started_at,
            now_ms(),
            end.stop_reason or EXITED,
            exit_code=end.exit_code,
            log_stream=stream,
        )

    def _start(self, job: Job, env: Mapping[str, str], folder: Path) -> JobProcess:
        process = JobProcess(job.spec.command, env, folder, self._host.stop_grace_seconds)
        self._host.group_started(process.group)
        with self._lock:
            self._processes[job.id] = process
            reason = self._stop_reasons.get(job.id)
        if reason is not None:  # terminated while it was being started
            process.stop(reason)
        return process

    def _forget(self, job: Job, process: JobProcess) -> None:
        with self._lock:
            del self._processes[job.id]
        self._host.group_ended(process.group)

    def _env(self, job: Job, number: int, folder: Path) -> dict[str, str]:
        spec = job.spec
        credentials = self._host.credentials(spec.job_role_arn, job.id) if spec.job_role_arn else {}
        return {
            **self._host.base_env,
            "TMPDIR": str(folder),
            **credentials,
            **spec.environment,
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JOB_ATTEMPT": str(number),
            "AWS_BATCH_JQ_NAME": spec.placement.queue_name,
            "AWS_BATCH_CE_NAME": spec.placement.compute_environment_name,
        }
