"""Which executions wait for which jobs, so that a job ends with what waits for it."""

from __future__ import annotations

from imagemill_engine import settings
from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job
from imagemill_engine.hooks.rights.policies import is_allowed
from imagemill_engine.hooks.states.executions import is_stopped, parent_of, role_arn_of
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
        role_arn = role_arn_of(execution["stateMachineArn"])
        for job_id, waiting in list(self._executions.items()):
            is_ours = execution is waiting or execution is parent_of(waiting)
            # without the right, AWS leaves the job alone and says nothing
            if is_ours and is_allowed(role_arn, "batch:TerminateJob", job_arn(job_id)):
                self._executor.terminate(job_id, reason)


def job_arn(job_id: str) -> str:
    """The ARN of a job."""
    return f"arn:aws:batch:{settings.REGION}:{settings.ACCOUNT_ID}:job/{job_id}"
