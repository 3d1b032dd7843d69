"""Lambda does for a function what the function's role allows, and no more."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine
from tests.helpers.rights import document_without, role_policy

POLICY = "function"  # of the fixture's FunctionRole: its second statement is about the queue


@pytest.fixture
def role(engine: Engine, stack: Stack) -> str:
    described = engine.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId="FunctionRole"
    )
    name: str = described["StackResourceDetail"]["PhysicalResourceId"]
    return name


@pytest.fixture
def document(engine: Engine, role: str) -> dict[str, Any]:
    answer = engine.client("iam").get_role_policy(RoleName=role, PolicyName=POLICY)
    found: dict[str, Any] = answer["PolicyDocument"]
    return found


def has_arrived(engine: Engine, stack: Stack, text: str) -> bool:
    s3, bucket = engine.client("s3"), stack.outputs["OutputBucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="batches/").get("Contents", ())
    bodies = (s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed)
    return any(text in body.decode() for body in bodies)


@pytest.mark.parametrize(
    "action", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
)
def test_a_role_that_may_not_read_the_queue_gets_no_messages(
    action: str, engine: Engine, stack: Stack, role: str, document: Any, until: Any
):
    text = uuid4().hex
    less = document_without(document, 1, action, 0)
    with role_policy(engine.client("iam"), role, POLICY, less):
        engine.client("sqs").send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=text)
        time.sleep(2.5)  # longer than the window of a second
        assert not has_arrived(engine, stack, text)
    until(lambda: has_arrived(engine, stack, text))


def test_a_role_that_may_not_write_logs_leaves_none(
    engine: Engine, stack: Stack, role: str, document: Any, until: Any
):
    function, group = stack.outputs["EchoFunctionArn"], log_group(engine, stack)
    logs, functions = engine.client("logs"), engine.client("lambda")
    functions.invoke(FunctionName=function, Payload=json.dumps({}))
    assert streams(logs, group) == 0
    write = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:*:*:log-group:{group}:*",
    }
    more = {**document, "Statement": [*document["Statement"], write]}
    with role_policy(engine.client("iam"), role, POLICY, more):
        functions.invoke(FunctionName=function, Payload=json.dumps({}))
        until(lambda: streams(logs, group) == 1)


def log_group(engine: Engine, stack: Stack) -> str:
    arn = stack.outputs["EchoFunctionArn"]
    return f"/aws/lambda/{arn.rsplit(':', 1)[-1]}"


def streams(logs: Any, group: str) -> int:
    try:
        return len(logs.describe_log_streams(logGroupName=group)["logStreams"])
    except logs.exceptions.ResourceNotFoundException:
        return 0
