"""The batch:submitJob integration of Step Functions, and `.sync`, which waits for the job."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as states

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job, JobStatus
from imagemill_engine.hooks import seam
from imagemill_engine.hooks.batch_api import BatchApi, ClientError
from imagemill_engine.hooks.casing import to_camel, to_pascal
from imagemill_engine.hooks.states.scope import Scope, current

RESOURCE = "arn:aws:states:::batch:submitJob"
MANAGED_BY = {"name": "MANAGED_BY_AWS", "value": "STARTED_BY_STEP_FUNCTIONS"}

Document = dict[str, Any]


def install(executor: Executor) -> None:
    seam.require(states, "_SERVICE_DISPATCH")[RESOURCE] = integration(executor)


def integration(executor: Executor) -> Callable[[str, Document], Document]:
    api = BatchApi(executor)

    def submit_job(resource: str, arguments: Document) -> Document:
        try:
            job = api.submit(managed(to_camel(arguments)))
        except ClientError as error:
            raise states._ExecutionError("Batch.ClientException", str(error)) from error
        submitted = {"JobId": job.id, "JobArn": job.arn, "JobName": job.spec.job_name}
        if not resource.endswith(".sync"):
            return submitted
        scope = current()
        assert scope is not None  # noqa: S101 - an integration runs within an execution
        note_submission(scope, submitted)
        with scope.stopping(lambda reason: executor.terminate(job.id, reason)):
            job.done.wait()
        scope.check()
        return result_of(job)

    return submit_job


def managed(request: Document) -> Document:
    overrides: Document = request.setdefault("containerOverrides", {})
    overrides["environment"] = [*(overrides.get("environment") or ()), MANAGED_BY]
    return request


def note_submission(scope: Scope, submitted: Document) -> None:
    details = {
        "resourceType": "batch",
        "resource": "submitJob.sync",
        "output": json.dumps(submitted),
    }
    states._add_event(scope.execution, "TaskSubmitted", {"taskSubmittedEventDetails": details})


def result_of(job: Job) -> Document:
    document: Document = to_pascal(job.describe())
    if job.status is not JobStatus.SUCCEEDED:
        raise states._ExecutionError("States.TaskFailed", json.dumps(document))
    return document
