"""A job starts only if its execution role may pull its image and write its log."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine

REPOSITORY = "arn:aws:ecr:us-east-1:000000000000:repository/team/worker"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/worker@sha256:0"
STATEMENTS = [
    ("ecr:GetAuthorizationToken", "*"),
    ("ecr:BatchGetImage", REPOSITORY),
    ("ecr:GetDownloadUrlForLayer", REPOSITORY),
    ("ecr:BatchCheckLayerAvailability", REPOSITORY),
    ("logs:CreateLogStream", "arn:aws:logs:*:*:log-group:*"),
    ("logs:PutLogEvents", "arn:aws:logs:*:*:log-group:*"),
]


def definition(engine: Engine, stack: Stack, statements: list[tuple[str, str]], image: str) -> str:
    """A job definition with an execution role that may do some things."""
    iam, name = engine.client("iam"), f"start-{uuid4().hex[:8]}"
    tasks = {"Service": "ecs-tasks.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": tasks, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allowed = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, resource in statements
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName=name, PolicyName="start", PolicyDocument=document)
    registered = engine.client("batch").register_job_definition(
        jobDefinitionName=name,
        type="container",
        containerProperties={
            "image": image,
            "command": ["true"],
            "executionRoleArn": role["Arn"],
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "64"},
            ],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": stack.outputs["JobLogGroupName"]},
            },
        },
    )
    arn: str = registered["jobDefinitionArn"]
    return arn


def test_a_role_with_these_rights_starts_a_job(engine: Engine, stack: Stack, jobs: Any):
    end = jobs.end(
        jobs.submit("", jobDefinition=definition(engine, stack, STATEMENTS, IMAGE), parameters={})
    )
    assert end["status"] == "SUCCEEDED", end


@pytest.mark.parametrize("action", [action for action, _ in STATEMENTS])
def test_a_role_without_one_of_them_does_not(action: str, engine: Engine, stack: Stack, jobs: Any):
    fewer = [(name, resource) for name, resource in STATEMENTS if name != action]
    end = jobs.end(
        jobs.submit("", jobDefinition=definition(engine, stack, fewer, IMAGE), parameters={})
    )
    assert end["status"] == "FAILED"
    assert f"is not authorized to perform: {action} on" in end["container"]["reason"]


def test_a_public_image_needs_no_right(engine: Engine, stack: Stack, jobs: Any):
    logs_only = [item for item in STATEMENTS if item[0].startswith("logs:")]
    arn = definition(engine, stack, logs_only, "public.ecr.aws/team/worker:1")
    assert jobs.end(jobs.submit("", jobDefinition=arn, parameters={}))["status"] == "SUCCEEDED"
