"""Runs jobs first in, first out, as many as there are vCPUs for."""

from __future__ import annotations

import threading
import uuid

from imagemill_engine.batch.capacity import Capacity
from imagemill_engine.batch.host import Host
from imagemill_engine.batch.job import Job, JobStatus
from imagemill_engine.batch.job_run import JobRun
from imagemill_engine.batch.spec import JobSpec


class Executor:
    """All jobs of an engine. Every method may be called from any thread."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.RLock()
        self._capacity = Capacity(host.vcpus)
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._runs: dict[str, JobRun] = {}  # by job id, while the job is started

    def submit(self, spec: JobSpec) -> Job:
        """Queue a job, and start it at once where it fits."""
        job_id = str(uuid.uuid4())
        job = Job(job_id, self._host.job_arn(job_id), spec)
        with self._lock:
            self._jobs[job.id] = job
            self._waiting.append(job)
            job.move_to(JobStatus.RUNNABLE)
            self._start_what_fits()
        return job

    def find(self, job_id: str) -> Job | None:
        """A job in whatever state it is."""
        return self._jobs.get(job_id)

    def jobs(self) -> list[Job]:
        """All jobs ever submitted, the oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job in whatever state it is; one that has ended stays as it is."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job in self._waiting:
                self._waiting.remove(job)
                job.move_to(JobStatus.FAILED, reason)
                self._start_what_fits()
            run = self._runs.get(job_id)
        if run is not None:
            run.stop(reason)

    def _start_what_fits(self) -> None:
        """A job that does not fit holds back the later ones of its queue, as on AWS."""
        blocked: set[str] = set()
        for job in tuple(self._waiting):
            queue = job.spec.placement.queue_arn
            if queue in blocked:
                continue
            if not self._capacity.fits(job.spec):
                blocked.add(queue)
                continue
            self._waiting.remove(job)
            self._capacity.take(job.spec)
            job.move_to(JobStatus.STARTING)
            self._runs[job.id] = JobRun(self._host, job)
            threading.Thread(
                target=self._run, args=(job,), daemon=True, name=f"job-{job.id}"
            ).start()

    def _run(self, job: Job) -> None:
        try:
            self._runs[job.id].run()
        finally:
            with self._lock:
                del self._runs[job.id]
                self._capacity.give_back(job.spec)
                self._start_what_fits()
