"""The attempts of one job, one after the other, until it succeeds, is given up or is stopped."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Mapping

from imagemill_engine.batch.attempt import EXITED, JobProcess
from imagemill_engine.batch.host import Host
from imagemill_engine.batch.job import AttemptOutcome, Job, JobStatus, StartError, now_ms
from imagemill_engine.batch.log_stream import LogStream

CANNOT_START = "CannotStartContainerError"


class JobRun:
    """Runs in a thread of its own; `stop` may be called from any other."""

    def __init__(self, host: Host, job: Job) -> None:
        self._host = host
        self._job = job
        self._folder = host.jobs_folder / job.id
        self._lock = threading.Lock()
        self._process: JobProcess | None = None
        self._stop_reason: str | None = None

    def run(self) -> None:
        """Run the job to its end.

        A fault of the executor itself fails the job, which would otherwise hang, and is raised.
        """
        try:
            self._run_attempts()
        except BaseException as error:
            self._job.move_to(JobStatus.FAILED, f"The executor failed: {error!r}")
            raise
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self, reason: str) -> None:
        """End the attempt that runs, and let no other follow. The first reason stays."""
        with self._lock:
            if self._stop_reason is None:
                self._stop_reason = reason
            process = self._process
        if process is not None:
            process.stop(reason)

    def _run_attempts(self) -> None:
        job = self._job
        number = 1
        while True:
            outcome = self._attempt(number)
            job.attempts.append(outcome)
            if outcome.exit_code == 0 and self._stop_reason is None:
                job.move_to(JobStatus.SUCCEEDED, outcome.status_reason)
                return
            wanted = job.spec.retry.wants_retry(
                number, outcome.exit_code, outcome.reason, outcome.status_reason
            )
            if self._stop_reason is not None or not wanted:
                job.move_to(JobStatus.FAILED, self._stop_reason or outcome.status_reason)
                return
            number += 1
            job.move_to(JobStatus.STARTING)

    def _attempt(self, number: int) -> AttemptOutcome:
        spec = self._job.spec
        started_at = now_ms()
        stream = f"{spec.log.stream_prefix}/default/{uuid.uuid4().hex}"
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._host.check_start(spec)
            env = self._env(number)
            log = LogStream(self._host.logs, spec.log, stream)
            process = self._started(env)
        except (OSError, StartError) as error:
            reason = f"{CANNOT_START}: {error}"
            return AttemptOutcome(started_at, now_ms(), "Task failed to start", reason=reason)
        self._job.log_stream = stream
        self._job.move_to(JobStatus.RUNNING)
        try:
            end = process.wait(log, spec.timeout_seconds)
        finally:
            self._forget(process)
        log.close()
        if end.stop_reason is not None:  # by its timeout, too: such an attempt is the last one
            self.stop(end.stop_reason)
        return AttemptOutcome(
            started_at,
            now_ms(),
            end.stop_reason or EXITED,
            exit_code=end.exit_code,
            log_stream=stream,
        )

    def _started(self, env: Mapping[str, str]) -> JobProcess:
        command = self._job.spec.command
        process = JobProcess(command, env, self._folder, self._host.stop_grace_seconds)
        self._host.group_started(process.group)
        with self._lock:
            self._process = process
            reason = self._stop_reason
        if reason is not None:  # stopped while it was being started
            process.stop(reason)
        return process

    def _forget(self, process: JobProcess) -> None:
        with self._lock:
            self._process = None
        self._host.group_ended(process.group)

    def _env(self, number: int) -> dict[str, str]:
        job, spec = self._job, self._job.spec
        credentials = self._host.credentials(spec.job_role_arn, job.id) if spec.job_role_arn else {}
        return {
            **self._host.base_env,
            "TMPDIR": str(self._folder),
            **credentials,
            **spec.environment,
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JOB_ATTEMPT": str(number),
            "AWS_BATCH_JQ_NAME": spec.placement.queue_name,
            "AWS_BATCH_CE_NAME": spec.placement.compute_environment_name,
        }
