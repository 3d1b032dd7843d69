"""The actions of the roles are those of the calls: none without its action, no action without one.

Calls are read from the code of each function and job, from the state machine, and from what the
template asks of AWS. An operation has the action of its name, but for those of S3:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from tests.helpers.api_calls import SERVICES, api_calls
from tests.helpers.rights import grants
from tests.helpers.stack_template import definition, resources_of

# All types are found once, which takes seconds.
pytestmark = pytest.mark.xdist_group("calls and rights")

READ = {"s3:GetObject", "s3:ListBucket"}  # without the second a missing key is denied
WRITTEN = {"s3:PutObject", "s3:AbortMultipartUpload"}
OF_OBSTORE = {
    "get": READ,
    "head": READ,
    "list": {"s3:ListBucket"},
    "put": WRITTEN,
    "open_writer": WRITTEN,
    "copy": {"s3:GetObject", "s3:PutObject"},
    "delete": {"s3:DeleteObject"},
}
# What asks nobody: stores, the answers that are there, errors.
NO_REQUESTS = {"S3Store", "LocalStore", "bytes", "to_bytes", "stream", "meta", "write", "close"}
OF_S3 = {"head_object": READ, "get_object": READ, "list_objects_v2": {"s3:ListBucket"}}

OF_JOBS = {
    "resize": "imagemill_worker.cli._run_stage",
    "edge": "imagemill_worker.cli._run_stage",  # and all others without a job definition
    "model": "imagemill_worker.cli._run_model",
}
LANES = "imagemill_worker.lanes.__main__.main"

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
PULL = {"ecr:GetAuthorizationToken", "ecr:BatchGetImage"}
PULL |= {"ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}

# https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
OF_STATES = {
    "arn:aws:states:::lambda:invoke": {"lambda:InvokeFunction"},
    "arn:aws:states:::batch:submitJob.sync": {
        *("batch:SubmitJob", "batch:DescribeJobs", "batch:TerminateJob"),
        *("events:PutTargets", "events:PutRule", "events:DescribeRule"),
    },
    "arn:aws:states:::events:putEvents": {"events:PutEvents"},
    "arn:aws:states:::s3:getObject": {"s3:GetObject"},  # of an ItemReader
    "arn:aws:states:::s3:putObject": {  # of a ResultWriter
        *("s3:PutObject", "s3:GetObject"),
        *("s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
    },
}
# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
DISTRIBUTED = {
    *("states:StartExecution", "states:DescribeExecution", "states:StopExecution"),
    "states:RedriveExecution",
}
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = {
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
}
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
MACHINE_TRACES = TRACES | {"xray:GetSamplingRules", "xray:GetSamplingTargets"}

NO_LARGE_FILES = "the parts of an upload that failed expire after 7 days, and few are that large"
IN_FOLDERS = "only in folders: in buckets, what is not needed any more expires"
# By role and action, a call that has no action, and why.
CALLS_WITHOUT_ACTION = {
    ("PlanRunRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("PlanSliceRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("CommitPlanRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("AggregateSliceRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("AggregateRunRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("GroupObjectsRole", "s3:AbortMultipartUpload"): NO_LARGE_FILES,
    ("WorkerRole", "s3:DeleteObject"): IN_FOLDERS,
}
ACTIONS_WITHOUT_CALL: dict[tuple[str, str], str] = {}


def actions_of_code(entries: list[str], but_for: str) -> set[str]:
    """The actions that a program needs, by what it can come to."""
    methods, operations = api_calls(entries, but_for)
    found = set().union(*(OF_OBSTORE[name] for name in methods & OF_OBSTORE.keys()))
    unknown = methods - OF_OBSTORE.keys() - NO_REQUESTS
    assert all(name.endswith("Error") for name in unknown), unknown
    for name in operations:
        found |= OF_S3.get(name) or {action_of(name)}
    return found


def action_of(operation: str) -> str:
    """The action of a method of a boto3 client."""
    (found,) = _actions()[operation]
    return found


@cache
def _actions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    session = botocore.session.get_session()
    for service in SERVICES:
        model = session.get_service_model(service)
        for name in model.operation_names:
            found.setdefault(xform_name(name), set()).add(f"{model.signing_name}:{name}")
    return found


def needed() -> Iterator[tuple[str, set[str]]]:
    """Roles, and what they need."""
    for name, function in resources_of("AWS::Serverless::Function").items():
        queue = any(event["Type"] == "SQS" for event in function.get("Events", {}).values())
        called = actions_of_code([function["Handler"]], "imagemill_worker.")
        assert role_in(function["Role"]) == f"{name.removesuffix('Function')}Role"
        yield role_in(function["Role"]), called | LOGS | TRACES | (QUEUE if queue else set())
    entries = {OF_JOBS[stage] for stage in stages_of_jobs()}
    yield "WorkerRole", actions_of_code([*entries, LANES], "imagemill_app.")
    yield "WorkerExecutionRole", PULL | LOGS
    yield "PreprocessRole", DISTRIBUTED | LOG_DELIVERY | MACHINE_TRACES | actions_of_machine()


def stages_of_jobs() -> set[str]:
    """What the commands of the job definitions ask the worker for."""
    jobs = resources_of("AWS::Batch::JobDefinition").values()
    asked = [[job["ContainerProperties"]["Command"], job["Parameters"]] for job in jobs]
    words = {word for job in asked for word in words_in(job)}
    return words & OF_JOBS.keys()


def words_in(value: Any) -> Iterator[str]:
    """All texts in a part of the template."""
    if isinstance(value, str):
        yield value
        return
    for part in value.values() if isinstance(value, dict) else value:
        yield from words_in(part)


def role_in(value: Any) -> str:
    """The role that `!GetAtt Role.Arn` names."""
    name: str = value["Fn::GetAtt"]
    return (name if isinstance(name, str) else name[0]).partition(".")[0]


def actions_of_machine() -> set[str]:
    """What the tasks, readers and writers of the state machine need."""
    return set().union(*(OF_STATES[name] for name in resources_in(definition())))


def resources_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Resource"), str):
            yield value["Resource"]
        for part in value.values():
            yield from resources_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from resources_in(part)


@cache
def allowed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for grant in grants():
        found.setdefault(grant.role, set()).add(grant.action)
    return found


@cache
def both() -> dict[str, tuple[set[str], set[str]]]:
    """By role, what it needs and what it may do."""
    return {role: (actions, allowed()[role]) for role, actions in needed()}


def test_each_role_belongs_to_code_that_was_read() -> None:
    assert both().keys() == allowed().keys()


def test_each_call_has_its_action_or_its_reason() -> None:
    found = {
        (role, action) for role, (calls, actions) in both().items() for action in calls - actions
    }
    assert found == CALLS_WITHOUT_ACTION.keys()


def test_each_action_has_its_call_or_its_reason() -> None:
    found = {
        (role, action) for role, (calls, actions) in both().items() for action in actions - calls
    }
    assert found == ACTIONS_WITHOUT_CALL.keys()


@pytest.mark.parametrize(
    ("entry", "action"),
    [
        ("group_objects.start_run", "states:StartExecution"),
        ("imagemill_app.results.open_runs.close_run", "s3:DeleteObject"),
        ("imagemill_app.swaps.find", "s3:GetObject"),
        ("imagemill_app.plan.source.lookup.looked_up", "s3:GetObject"),
        ("imagemill_worker.stores.s3.S3Objects.put_file", "s3:AbortMultipartUpload"),
    ],
)
def test_call_is_found_in_code(entry: str, action: str) -> None:
    assert action in actions_of_code([entry], "nothing.")


def test_what_is_not_come_to_is_no_call() -> None:
    assert "s3:DeleteObject" not in actions_of_code(["group_objects.lambda_handler"], "nothing.")
