"""The job side of the Batch API, in front of the executor; the emulator only marks jobs done."""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import batch

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.job import Job, JobStatus
from imagemill_engine.batch.spec import JobSpec, Placement
from imagemill_engine.hooks import seam

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

# What RegisterJobDefinition of the emulator forgets.
KEPT = (
    "parameters",
    "retryStrategy",
    "timeout",
    "propagateTags",
    "platformCapabilities",
    "schedulingPriority",
    "resourceRetentionPolicy",
)
# https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
MAX_REQUEST_BYTES = 30_720
UNSUPPORTED = ("arrayProperties", "dependsOn", "nodeOverrides", "eksPropertiesOverride")
INACTIVE = "INACTIVE"
ACTIVE = "ACTIVE"


class ClientError(Exception):
    """Answered as a ClientException."""


def install(executor: Executor) -> None:
    api = BatchApi(executor)
    routes = seam.require(batch, "_DISPATCH")
    for name in ("_compute_envs", "_job_queues", "_job_definitions"):
        seam.require(batch, name)
    seam.wrap(batch, "_register_job_definition", ["p"], register_job_definition)
    routes["/v1/registerjobdefinition"] = batch._register_job_definition
    for path, handler in api.routes().items():
        routes[path] = _answering(handler)


def register_job_definition(original: Callable[[Request], Response], request: Request) -> Response:
    response = original(request)
    if response[0] == 200:
        revision = batch._job_definitions[request["jobDefinitionName"]][-1]
        revision |= {name: request[name] for name in KEPT if name in request}
    return response


def _answering(handler: Callable[[Request], Request]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            document = handler(request)
        except ClientError as error:
            refused: Response = error_response_json("ClientException", str(error), 400)
            return refused
        response: Response = batch._json(200, document)
        return response

    return answer


class BatchApi:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def routes(self) -> dict[str, Callable[[Request], Request]]:
        return {
            "/v1/submitjob": self.submit_job,
            "/v1/describejobs": self.describe_jobs,
            "/v1/listjobs": self.list_jobs,
            "/v1/terminatejob": self.terminate_job,
            "/v1/canceljob": self.cancel_job,
            "/v1/describejobdefinitions": describe_job_definitions,
            "/v1/deregisterjobdefinition": deregister_job_definition,
        }

    def submit_job(self, request: Request) -> Request:
        job = self.submit(request)
        return {"jobId": job.id, "jobArn": job.arn, "jobName": job.spec.job_name}

    def submit(self, request: Request) -> Job:
        """Raises `ClientError` as SubmitJob does."""
        if not JOB_NAME.fullmatch(request.get("jobName", "")):
            raise ClientError(f"Job name {request.get('jobName')!r} is not valid")
        if len(json.dumps(request).encode()) > MAX_REQUEST_BYTES:
            raise ClientError(f"The request is larger than {MAX_REQUEST_BYTES} bytes")
        if unsupported := [name for name in UNSUPPORTED if request.get(name)]:
            raise ClientError(f"The embedded engine does not support {', '.join(unsupported)}")
        definition = active_revision(request.get("jobDefinition", ""))
        placement = placement_in(request.get("jobQueue", ""))
        return self._executor.submit(JobSpec.from_request(definition, placement, request))

    def describe_jobs(self, request: Request) -> Request:
        jobs = (self._executor.find(job_id) for job_id in request.get("jobs") or ())
        return {"jobs": [job.describe() for job in jobs if job is not None]}

    def list_jobs(self, request: Request) -> Request:
        """Without a status: those that are RUNNING, as on AWS."""
        queue = queue_named(request.get("jobQueue", ""))
        wanted = request.get("jobStatus") or JobStatus.RUNNING
        found = [
            job.summary()
            for job in self._executor.jobs()
            if job.spec.placement.queue_arn == queue["jobQueueArn"]
        ]
        return {"jobSummaryList": [job for job in found if job["status"] == wanted]}

    def terminate_job(self, request: Request) -> Request:
        self._executor.terminate(request["jobId"], request.get("reason", ""))
        return {}

    def cancel_job(self, request: Request) -> Request:
        self._executor.cancel(request["jobId"], request.get("reason", ""))
        return {}


def describe_job_definitions(request: Request) -> Request:
    wanted = set(request.get("jobDefinitions") or ())
    name = request.get("jobDefinitionName")
    status = request.get("status")
    found = [
        revision
        for revisions in batch._job_definitions.values()
        for revision in revisions
        if (not wanted or wanted & _names(revision))
        and (not name or name == revision["jobDefinitionName"])
        and (not status or status == revision["status"])
    ]
    return {"jobDefinitions": found}


def _names(revision: Request) -> set[str]:
    name = revision["jobDefinitionName"]
    return {revision["jobDefinitionArn"], f"{name}:{revision['revision']}"}


def deregister_job_definition(request: Request) -> Request:
    active_revision(request.get("jobDefinition", ""))["status"] = INACTIVE
    return {}


def active_revision(reference: str) -> Request:
    """By ARN, by `name:revision` or by name, which means the newest active one."""
    name, _, number = reference.rsplit("/", 1)[-1].partition(":")
    active = [one for one in batch._job_definitions.get(name, ()) if one["status"] == ACTIVE]
    found = [one for one in active if not number or str(one["revision"]) == number]
    if not found:
        raise ClientError(f"JobDefinition {reference} is not found or is not ACTIVE")
    newest: Request = found[-1]
    return newest


def queue_named(reference: str) -> Request:
    queue: Request | None = batch._job_queues.get(reference.rsplit("/", 1)[-1])
    if queue is None:
        raise ClientError(f"JobQueue {reference} is not found")
    return queue


def placement_in(reference: str) -> Placement:
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
