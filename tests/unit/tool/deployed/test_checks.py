"""Checks of what the engine does not have, on answers whose shapes botocore knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from imagemill.deployed.checks.capacity import (
    QUOTAS,
    compute_environment,
    job_queue,
    vcpu_limit,
)
from imagemill.deployed.checks.deployment import deployment, worker_image
from imagemill.deployed.checks.examination import findings
from imagemill.deployed.checks.finding import Finding, FindingState
from imagemill.deployed.checks.work import jobs
from imagemill.deployed.stack import DeployedStack

BATCH = "arn:aws:batch:eu-west-1:123456789012:"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mill-workers:latest"
RESOURCES = {
    "ComputeEnvironment": f"{BATCH}compute-environment/env",
    "JobQueue": f"{BATCH}job-queue/queue",
    "ResizeJobDefinition": f"{BATCH}job-definition/mill-resize:3",
}
NOW = datetime.now(UTC)


class Aws:
    """Clients whose answers are said beforehand, and checked by botocore against its models."""

    is_local = False
    region = "eu-west-1"

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._stubbers: dict[str, Stubber] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            keys = {"aws_access_key_id": "id", "aws_secret_access_key": "secret"}
            self._clients[service] = boto3.client(service, region_name=self.region, **keys)
            self._stubbers[service] = Stubber(self._clients[service])
            self._stubbers[service].activate()
        return self._clients[service]

    def answer(self, service: str, call: str, answer: dict[str, Any], **asked: Any) -> None:
        self.client(service)
        self._stubbers[service].add_response(call, answer, asked or None)

    def refuse(self, service: str, call: str, code: str) -> None:
        self.client(service)
        self._stubbers[service].add_client_error(call, code, "No.")


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def stack(aws: Aws) -> DeployedStack:
    outputs = {"StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:mill"}
    parameters = {"WorkerImageUri": IMAGE}
    clients: Any = aws
    return DeployedStack(clients, "mill", "CREATE_COMPLETE", outputs, parameters, dict(RESOURCES))


def environment(**changes: Any) -> dict[str, Any]:
    one = {
        "computeEnvironmentName": "env",
        "computeEnvironmentArn": RESOURCES["ComputeEnvironment"],
        "state": "ENABLED",
        "status": "VALID",
        "statusReason": "ComputeEnvironment Healthy",
        "computeResources": {"type": "SPOT", "maxvCpus": 256, "subnets": ["subnet-1"]},
        **changes,
    }
    return {"computeEnvironments": [one]}


def of_queue(aws: Aws, *answers: dict[str, Any]) -> None:
    """Let the queue have these compute environments."""
    found = [one for answer in answers for one in answer["computeEnvironments"]]
    order = [
        {"order": place, "computeEnvironment": f"{BATCH}compute-environment/{name}"}
        for place, name in enumerate(one["computeEnvironmentName"] for one in found)
    ]
    aws.answer("batch", "describe_job_queues", queue(computeEnvironmentOrder=order))
    aws.answer("batch", "describe_compute_environments", {"computeEnvironments": found})


def only(found: Any) -> Finding:
    (finding,) = list(found)
    assert isinstance(finding, Finding)
    return finding


def test_image_that_was_never_pushed_is_named_with_the_command_that_pushes_it(
    aws: Aws, stack: DeployedStack
) -> None:
    definition = {
        "jobDefinitionName": "mill-resize",
        "jobDefinitionArn": RESOURCES["ResizeJobDefinition"],
        "revision": 3,
        "type": "container",
        "containerProperties": {"image": IMAGE},
    }
    aws.answer("batch", "describe_job_definitions", {"jobDefinitions": [definition]})
    aws.refuse("ecr", "describe_images", "ImageNotFoundException")
    finding = only(worker_image(stack))
    assert finding.state is FindingState.BROKEN
    assert finding.text == f"{IMAGE} is not there, so that no job can start"
    assert finding.fix == "make worker-image"

    aws.answer("batch", "describe_job_definitions", {"jobDefinitions": [definition]})
    aws.answer(
        "ecr",
        "describe_images",
        {"imageDetails": [{"repositoryName": "mill-workers", "imageTags": ["latest"]}]},
        registryId="123456789012",
        repositoryName="mill-workers",
        imageIds=[{"imageTag": "latest"}],
    )
    assert only(worker_image(stack)).state is FindingState.OK


@pytest.mark.parametrize(
    ("changes", "text", "fix"),
    [
        ({"state": "DISABLED"}, "is DISABLED", "--state ENABLED --compute-environment env"),
        (
            {"status": "INVALID", "statusReason": "CLIENT_ERROR - Not authorized for role"},
            "is INVALID: CLIENT_ERROR - Not authorized for role",
            "Mend what it names",
        ),
        (
            {"computeResources": {"type": "SPOT", "maxvCpus": 0, "subnets": []}},
            "0 vCPUs",
            "MaxvCpus",
        ),
    ],
)
def test_compute_environment_that_starts_nothing_says_why(
    changes: dict[str, Any], text: str, fix: str, aws: Aws, stack: DeployedStack
) -> None:
    of_queue(aws, environment(**changes))
    broken = [one for one in compute_environment(stack) if one.state is FindingState.BROKEN]
    finding = only(broken)
    assert text in finding.text
    assert fix in finding.fix


def test_every_compute_environment_of_the_queue_is_looked_at(
    aws: Aws, stack: DeployedStack
) -> None:
    second = environment(computeEnvironmentName="second", state="DISABLED")
    of_queue(aws, environment(), second)
    assert [one.state for one in compute_environment(stack)] == [
        FindingState.OK,
        FindingState.BROKEN,
    ]


def test_stack_without_an_image_says_that_uploads_wait(aws: Aws, stack: DeployedStack) -> None:
    stack.parameters = {"WorkerImageUri": ""}
    finding = only(worker_image(stack))
    assert (finding.state, finding.fix) == (FindingState.BROKEN, "make worker-image")
    assert finding.text == "there is none yet: uploads wait, and runs are refused"


def queue(**changes: Any) -> dict[str, Any]:
    one = {
        "jobQueueName": "queue",
        "jobQueueArn": RESOURCES["JobQueue"],
        "state": "ENABLED",
        "status": "VALID",
        "priority": 1,
        "computeEnvironmentOrder": [],
        **changes,
    }
    return {"jobQueues": [one]}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (queue(state="DISABLED"), "is DISABLED, so that no job can be submitted"),
        (
            queue(status="INVALID", statusReason="Its environment is gone"),
            "Its environment is gone",
        ),
        ({"jobQueues": []}, "there is none"),
    ],
)
def test_queue_that_takes_nothing_says_why(
    answer: dict[str, Any], text: str, aws: Aws, stack: DeployedStack
) -> None:
    aws.answer("batch", "describe_job_queues", answer, jobQueues=["queue"])
    finding = only(job_queue(stack))
    assert (finding.state, text in finding.text) == (FindingState.BROKEN, True)


@pytest.mark.parametrize(
    ("allowed", "state", "text"),
    [
        (0.0, FindingState.BROKEN, "may start no Spot vCPU"),
        (64.0, FindingState.WARNING, "may start 64 Spot vCPUs, and the stack would use 256"),
        (640.0, FindingState.OK, "may start 640 Spot vCPUs"),
    ],
)
def test_limit_of_the_account_is_compared_with_what_the_stack_wants(
    allowed: float, state: FindingState, text: str, aws: Aws, stack: DeployedStack
) -> None:
    of_queue(aws, environment())
    aws.answer(
        "service-quotas",
        "get_service_quota",
        {"Quota": {"ServiceCode": "ec2", "QuotaCode": QUOTAS["SPOT"].code, "Value": allowed}},
        ServiceCode="ec2",
        QuotaCode=QUOTAS["SPOT"].code,
    )
    finding = only(vcpu_limit(stack))
    assert (finding.state, text in finding.text) == (state, True)


def job(minutes_ago: float, **changes: Any) -> dict[str, Any]:
    at = int((datetime.now(UTC) - timedelta(minutes=minutes_ago)).timestamp() * 1000)
    return {"jobId": "1", "jobName": "resize-run-1-00000", "createdAt": at, **changes}


def listed(aws: Aws, **by_status: list[dict[str, Any]]) -> None:
    for status, found in by_status.items():
        asked = {"jobQueue": RESOURCES["JobQueue"], "jobStatus": status, "maxResults": ANY}
        aws.answer("batch", "list_jobs", {"jobSummaryList": found}, **asked)


def test_jobs_that_wait_for_long_are_told_in_the_words_of_aws_batch(
    aws: Aws, stack: DeployedStack
) -> None:
    reason = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - too small"
    listed(aws, RUNNABLE=[job(47, statusReason=reason), job(2)], FAILED=[])
    finding = only(jobs(stack))
    assert finding.state is FindingState.BROKEN
    assert finding.text == f"2 have waited for up to 47 minutes: {reason}"


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("CannotPullContainerError: manifest unknown", "make worker-image"),
        ("something else", "log group of the jobs"),
    ],
)
def test_last_job_that_failed_is_told_with_its_reason(
    reason: str, fix: str, aws: Aws, stack: DeployedStack
) -> None:
    failed = job(
        5,
        status="FAILED",
        statusReason="Task failed to start",
        stoppedAt=int(NOW.timestamp() * 1000),
        container={"reason": reason, "exitCode": 1},
    )
    listed(aws, RUNNABLE=[], FAILED=[job(90, stoppedAt=1), failed])
    finding = only(jobs(stack))
    assert finding.state is FindingState.WARNING
    assert finding.text.endswith(f"Task failed to start, {reason}, exit code 1")
    assert fix in finding.fix


def events(aws: Aws, *rows: tuple[str, str, str]) -> None:
    aws.answer(
        "cloudformation",
        "describe_stack_events",
        {
            "StackEvents": [
                {
                    "StackId": "s",
                    "EventId": "e",
                    "StackName": "mill",
                    "Timestamp": NOW,
                    "LogicalResourceId": name,
                    "ResourceStatus": status,
                    "ResourceStatusReason": reason,
                }
                for name, status, reason in rows
            ]
        },
    )


def test_stack_that_failed_names_the_first_resource_that_did(
    aws: Aws, stack: DeployedStack
) -> None:
    stack.status, stack.outputs = "ROLLBACK_COMPLETE", {}
    events(
        aws,
        ("mill", "CREATE_FAILED", "The following resources failed"),
        ("JobQueue", "CREATE_FAILED", "Resource creation cancelled"),
        ("ComputeEnvironment", "CREATE_FAILED", "Not authorized to assume role"),
    )
    (finding,) = findings(stack)
    assert finding.state is FindingState.BROKEN
    assert finding.text == (
        "is ROLLBACK_COMPLETE: ComputeEnvironment: Not authorized to assume role"
    )
    assert "sam delete --stack-name mill" in finding.fix


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", FindingState.WARNING),
        ("CREATE_IN_PROGRESS", FindingState.WARNING),
        ("UPDATE_COMPLETE", FindingState.OK),
    ],
)
def test_stack_that_can_run_is_not_called_broken(
    status: str, state: FindingState, aws: Aws, stack: DeployedStack
) -> None:
    stack.status = status
    events(aws)
    assert only(deployment(stack)).state is state


def test_what_may_not_be_asked_is_unknown_and_the_rest_is_looked_at(
    aws: Aws, stack: DeployedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: tuple[Callable[..., Any], ...] = (job_queue, compute_environment)
    monkeypatch.setattr("imagemill.deployed.checks.examination.CHECKS", checks)
    aws.refuse("batch", "describe_job_queues", "AccessDeniedException")
    of_queue(aws, environment())
    found = list(findings(stack))
    assert [one.state for one in found] == [
        FindingState.OK,
        FindingState.UNKNOWN,
        FindingState.OK,
    ]
    assert found[1].text == "AWS denies DescribeJobQueues: No."
