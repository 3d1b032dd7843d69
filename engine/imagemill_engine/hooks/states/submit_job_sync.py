"""The integration batch:submitJob.sync: a task that runs a job and waits for it."""

from __future__ import annotations

import json

from ministack.services import stepfunctions as states

from imagemill_engine.batch.job import JobStatus
from imagemill_engine.hooks import patching
from imagemill_engine.hooks.batch_api import BatchApi, ClientError
from imagemill_engine.hooks.camel_case import to_camel, to_pascal
from imagemill_engine.hooks.states.executions import current_execution
from imagemill_engine.hooks.states.job_waits import JobWaits
from imagemill_engine.shapes import Document, Function

RESOURCE = "arn:aws:states:::batch:submitJob"  # as the emulator looks it up, without .sync


def install(api: BatchApi, waits: JobWaits) -> None:
    """Add the integration, and let a job end with the task that times out."""

    def submit_job(resource: str, arguments: Document) -> Document:
        return job_run(api, waits, resource, arguments)

    def invoke(
        original: Function, resource: str, arguments: Document, timeout_seconds: float
    ) -> object:
        return result_in_time(waits, original, resource, arguments, timeout_seconds)

    patching.require(states, "_ExecutionError")
    patching.require_table(states, "_SERVICE_DISPATCH")[RESOURCE] = submit_job
    patching.wrap(
        states, "_invoke_resource_with_timeout", ["resource", "input_data", "timeout"], invoke
    )


def job_run(api: BatchApi, waits: JobWaits, resource: str, arguments: Document) -> Document:
    """Run a job to its end; returns its description, as DescribeJobs gives it."""
    if not resource.endswith(".sync"):
        raise states._ExecutionError(
            "States.Runtime", f"The embedded engine waits for each job: use {RESOURCE}.sync"
        )
    try:
        job = api.submit(to_camel(arguments))
    except ClientError as error:
        raise states._ExecutionError("Batch.ClientException", str(error)) from error
    waits.wait(job, current_execution())
    description = to_pascal(job.describe())
    if job.status is not JobStatus.SUCCEEDED:
        raise states._ExecutionError("States.TaskFailed", json.dumps(description))
    return description


def result_in_time(
    waits: JobWaits,
    original: Function,
    resource: str,
    arguments: Document,
    timeout_seconds: float,
) -> object:
    """The result of a task; one that takes too long is left behind, and its job is terminated."""
    try:
        return original(resource, arguments, timeout_seconds)
    except states._ExecutionError as error:
        if error.error == "States.Timeout":
            waits.end(current_execution(), error.cause)
        raise
