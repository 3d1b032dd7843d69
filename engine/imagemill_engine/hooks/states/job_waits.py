"""Which executions wait for which jobs, so that a job ends with what waits for it."""

from __future__ import annotations

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job
from imagemill_engine.hooks.states.executions import is_stopped, parent_of
from imagemill_engine.shapes import Document


class JobWaits:
    """Every method may be called from any thread."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._executions: dict[str, Document] = {}  # by the id of the job that each waits for

    def wait(self, job: Job, execution: Document) -> None:
        """Wait until a job has ended, by itself or by `end`."""
        self._executions[job.id] = execution
        try:
            if is_stopped(execution):  # while the job was submitted
                self.end(execution, "The execution was stopped")
            job.done.wait()
        finally:
            del self._executions[job.id]

    def end(self, execution: Document, reason: str) -> None:
        """Terminate the jobs of an execution and of its children."""
        for job_id, waiting in list(self._executions.items()):
            if execution is waiting or execution is parent_of(waiting):
                self._executor.terminate(job_id, reason)
