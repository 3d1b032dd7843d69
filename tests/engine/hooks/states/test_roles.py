"""A state machine has the rights of its role and no more."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def test_a_function_that_the_role_may_not_invoke_is_not_invoked(
    machines: Any, echo_machine: Any, stack: Stack
):
    definition = echo_machine({})
    other = stack.outputs["EchoFunctionArn"].replace("Echo", "NoteBatch")
    definition["States"]["Call"]["Arguments"]["FunctionName"] = other
    end = machines.run(definition)
    assert end["error"] == "Lambda.AWSLambdaException"
    assert f"lambda:InvokeFunction on resource: {other}" in end["cause"]


def test_a_job_definition_that_the_role_may_not_use_is_not_used(
    machines: Any, job_machine: Any, stack: Stack
):
    other = stack.outputs["PlainJobDefinitionArn"]
    end = machines.run(job_machine("true", Arguments={"JobDefinition": other}))
    assert end["error"] == "Batch.AWSBatchException"
    assert other in end["cause"]


def test_a_role_without_the_managed_rule_cannot_wait_for_a_job(
    machines: Any, job_machine: Any, engine: Engine
):
    iam = engine.client("iam")
    name = f"no-events-{uuid4().hex[:8]}"
    states = {"Service": "states.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": states, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allowed = {"Effect": "Allow", "Action": "batch:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="batch", PolicyDocument=document)
    end = machines.run(job_machine("true"), role_arn=role["Arn"])
    assert end["status"] == "FAILED"
    assert "events:PutTargets" in end["cause"]


def test_a_distributed_map_needs_the_right_to_start_its_own_machine(
    machines: Any, map_machine: Any, stack: Stack, put: Any
):
    end = machines.run(map_machine(stack.outputs["OutputBucketName"], put("own.json", b"[1]")))
    # The stack's role may start the stack's machine; this one is another.
    assert "states:StartExecution" in (end.get("cause") or "")


def test_the_reader_has_the_rights_of_the_role_and_no_more(
    map_machines: Any, map_machine: Any, stack: Stack, engine: Engine
):
    bucket = stack.outputs["OutputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="secret.json", Body=b"[1]")
    end = map_machines.run(map_machine(bucket, "secret.json"))
    assert end["error"] == "States.ItemReaderFailed"
    assert f"s3:GetObject on resource: arn:aws:s3:::{bucket}/secret.json" in end["cause"]


def test_the_writer_has_the_rights_of_the_role_and_no_more(
    map_machines: Any, map_machine: Any, stack: Stack, put: Any
):
    bucket = stack.outputs["OutputBucketName"]
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "elsewhere"},
    }
    end = map_machines.run(map_machine(bucket, put("six.json", b"[1]"), ResultWriter=writer))
    assert end["error"] == "States.ResultWriterFailed"
    assert f"s3:PutObject on resource: arn:aws:s3:::{bucket}/elsewhere/" in end["cause"]
