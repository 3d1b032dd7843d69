"""Jobs of the Batch API are processes; the emulator only marks them as done."""

from __future__ import annotations

import re
from collections.abc import Callable

from ministack.core.responses import error_response_json
from ministack.services import batch

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job, JobStatus
from imagemill_engine.batch.spec import JobSpec, Placement
from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Response

# https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
SUPPORTED = frozenset({"jobName", "jobQueue", "jobDefinition", "parameters"})


class ClientError(Exception):
    """A request that Batch refuses, with the error ClientException."""


def install(api: BatchApi) -> None:
    """Answer the calls about jobs."""
    routes = patching.require_table(batch, "_DISPATCH")
    for name in ("_compute_envs", "_job_queues", "_job_definitions", "_json"):
        patching.require(batch, name)
    routes["/v1/submitjob"] = _answering(api.submit_job)
    routes["/v1/describejobs"] = _answering(api.describe_jobs)
    routes["/v1/listjobs"] = _answering(api.list_jobs)
    routes["/v1/terminatejob"] = _answering(api.terminate_job)


def _answering(handler: Callable[[Document], Document]) -> Callable[[Document], Response]:
    def answer(request: Document) -> Response:
        try:
            document = handler(request)
        except ClientError as error:
            refused: Response = error_response_json("ClientException", str(error), 400)
            return refused
        response: Response = batch._json(200, document)
        return response

    return answer


class BatchApi:
    """The calls about jobs, each from a request to its answer."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, request: Document) -> Job:
        """Run what a SubmitJob request asks for. Raises ClientError as Batch does."""
        name = request.get("jobName", "")
        if not JOB_NAME.fullmatch(name):
            raise ClientError(f"Job name {name!r} is not valid")
        if unsupported := sorted(member for member in set(request) - SUPPORTED if request[member]):
            raise ClientError(f"The embedded engine does not support {', '.join(unsupported)}")
        definition = definition_named(request.get("jobDefinition", ""))
        placement = placement_in(request.get("jobQueue", ""))
        return self._executor.submit(JobSpec.from_request(definition, placement, request))

    def submit_job(self, request: Document) -> Document:
        """SubmitJob. Raises ClientError."""
        job = self.submit(request)
        return {"jobId": job.id, "jobArn": job.arn, "jobName": job.spec.job_name}

    def describe_jobs(self, request: Document) -> Document:
        """DescribeJobs: those of the ids that exist."""
        jobs = (self._executor.find(job_id) for job_id in request.get("jobs") or ())
        return {"jobs": [job.describe() for job in jobs if job is not None]}

    def list_jobs(self, request: Document) -> Document:
        """ListJobs: without a status, those that are RUNNING. Raises ClientError.

        A filter by name gives jobs of all states, as on AWS.
        """
        queue = queue_named(request.get("jobQueue", ""))
        found = [
            job.summary()
            for job in self._executor.jobs()
            if job.spec.placement.queue_arn == queue["jobQueueArn"]
        ]
        if request.get("filters"):
            pattern = name_wanted(request["filters"])
            return {"jobSummaryList": [job for job in found if is_named(job["jobName"], pattern)]}
        wanted = request.get("jobStatus") or JobStatus.RUNNING
        return {"jobSummaryList": [job for job in found if job["status"] == wanted]}

    def terminate_job(self, request: Document) -> Document:
        """TerminateJob: whether or not the job has started."""
        self._executor.terminate(request["jobId"], request.get("reason", ""))
        return {}


def name_wanted(filters: list[Document]) -> str:
    """The value of a filter by name. Raises ClientError for what Batch or the engine refuses."""
    if len(filters) != 1 or len(filters[0].get("values") or ()) != 1:
        raise ClientError("Exactly one filter with one value is allowed")
    if filters[0].get("name") != "JOB_NAME":
        raise ClientError("The embedded engine filters by JOB_NAME only")
    value: str = filters[0]["values"][0]
    return value


def is_named(name: str, pattern: str) -> bool:
    """Whether a job has that name, or begins so if the pattern ends in `*`; in either case."""
    name, pattern = name.lower(), pattern.lower()
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def definition_named(reference: str) -> Document:
    """By ARN, by `name:revision` or by name, which means the newest. Raises ClientError."""
    name, _, number = reference.rsplit("/", 1)[-1].partition(":")
    revisions: list[Document] = batch._job_definitions.get(name, [])
    found = [one for one in revisions if not number or str(one["revision"]) == number]
    if not found:
        raise ClientError(f"JobDefinition {reference} is not found")
    return found[-1]


def queue_named(reference: str) -> Document:
    """By ARN or by name. Raises ClientError."""
    queue: Document | None = batch._job_queues.get(reference.rsplit("/", 1)[-1])
    if queue is None:
        raise ClientError(f"JobQueue {reference} is not found")
    return queue


def placement_in(reference: str) -> Placement:
    """A queue, with the room in its compute environments. Raises ClientError."""
    queue = queue_named(reference)
    names = [
        entry["computeEnvironment"].rsplit("/", 1)[-1]
        for entry in queue.get("computeEnvironmentOrder") or ()
    ]
    environments = [batch._compute_envs[name] for name in names if name in batch._compute_envs]
    if not environments:
        raise ClientError(f"JobQueue {reference} has no compute environment")
    resources = [environment.get("computeResources") or {} for environment in environments]
    return Placement(
        queue_arn=queue["jobQueueArn"],
        queue_name=queue["jobQueueName"],
        compute_environment_name=names[0],
        max_vcpus=sum(float(one.get("maxvCpus") or 0) for one in resources),
    )
