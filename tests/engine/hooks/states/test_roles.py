"""Starting executions, retries and payloads where the emulator by itself differs from AWS."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.deploy import Stack

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 30, "End": True}}}


def echo(stack: Stack, payload: dict[str, Any], **members: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": stack.outputs["EchoFunctionArn"], "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        "End": True,
        **members,
    }
    caught = {"Type": "Pass", "End": True}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Call",
        "States": {"Call": state, "Caught": caught},
    }


# ------------------------------------------------------------------ StartExecution


def test_the_same_start_again_is_the_same_execution(machines: Any):
    arn = machines.create(WAIT)
    name = f"upload-{uuid4().hex}"
    request = {"stateMachineArn": arn, "name": name, "input": '{"a": 1}'}
    first = machines.states.start_execution(**request)
    again = machines.states.start_execution(**request)
    assert again["executionArn"] == first["executionArn"]
    assert again["startDate"] == first["startDate"]
    with pytest.raises(machines.states.exceptions.ExecutionAlreadyExists):
        machines.states.start_execution(**{**request, "input": '{"a": 2}'})
    machines.states.stop_execution(executionArn=first["executionArn"])
    with pytest.raises(machines.states.exceptions.ExecutionAlreadyExists):
        machines.states.start_execution(**request)


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 81, "a:b"])
def test_a_name_that_aws_refuses_is_refused(machines: Any, name: str):
    arn = machines.create(WAIT)
    with pytest.raises(machines.states.exceptions.InvalidName):
        machines.states.start_execution(stateMachineArn=arn, name=name)


def test_an_input_that_is_not_json_is_refused(machines: Any):
    arn = machines.create(WAIT)
    with pytest.raises(machines.states.exceptions.InvalidExecutionInput):
        machines.states.start_execution(stateMachineArn=arn, input="{")


def test_a_stopped_wait_ends_at_once(machines: Any):
    arn = machines.start(WAIT)
    machines.states.stop_execution(executionArn=arn, error="Gone", cause="nobody waits")
    end = machines.end(arn)
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Gone", "nobody waits")
    assert machines.events(arn)[-1]["type"] == "ExecutionAborted"


# ------------------------------------------------------------------ Retry and Catch


def test_an_exception_of_a_handler_is_caught_by_its_class(machines: Any, stack: Stack):
    catch = [
        {"ErrorEquals": ["ValueError"], "Next": "Caught", "Output": "wrong"},
        {
            "ErrorEquals": ["ShardLostError"],
            "Next": "Caught",
            "Assign": {"name": "{% $states.errorOutput.Error %}"},
            "Output": "{% $parse($states.errorOutput.Cause) %}",
        },
    ]
    end = machines.run(echo(stack, {"failure": "ShardLostError"}, Catch=catch))
    assert end["result"]["errorType"] == "ShardLostError"
    assert end["result"]["errorMessage"] == "line one\nline two: it is gone"
    assert any("echo.py" in line for line in end["result"]["stackTrace"])


def test_an_exception_that_nobody_catches_fails_the_execution_under_its_name(
    machines: Any, stack: Stack
):
    end = machines.run(echo(stack, {"failure": "ValueError"}))
    assert (end["status"], end["error"]) == ("FAILED", "ValueError")
    assert json.loads(end["cause"])["errorMessage"] == "no such value"


@pytest.mark.parametrize(("jitter", "attempts"), [("NONE", 2), ("FULL", 1)])
def test_retries_wait_no_longer_than_the_limit(
    machines: Any, stack: Stack, jitter: str, attempts: int
):
    retry = {
        "ErrorEquals": ["ValueError"],
        "IntervalSeconds": 1,
        "BackoffRate": 20,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 1,
        "JitterStrategy": jitter,
    }
    started = time.monotonic()
    end = machines.run(echo(stack, {"failure": "ValueError"}, Retry=[retry]))
    assert end["error"] == "ValueError"
    seconds = time.monotonic() - started
    assert seconds < 4
    assert jitter == "FULL" or seconds >= 2
    failed = [one for one in machines.events(end["executionArn"]) if one["type"] == "TaskFailed"]
    assert len(failed) == attempts + 1


def test_a_payload_over_the_limit_fails_as_on_aws_and_is_not_caught(machines: Any, stack: Stack):
    big = {"Type": "Pass", "Output": "{% $pad('', 300000, 'x') %}", "Next": "End"}
    guard = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Big", "States": {"Big": big, "End": {"Type": "Succeed"}}}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Guard",
        "States": {"Guard": guard, "Caught": {"Type": "Succeed"}},
    }
    end = machines.run(definition)
    assert (end["status"], end["error"]) == ("FAILED", "States.DataLimitExceeded")


# ------------------------------------------------------------------ the role of the machine


def test_a_function_that_the_role_may_not_invoke_is_not_invoked(machines: Any, stack: Stack):
    other = stack.outputs["EchoFunctionArn"].replace("Echo", "NoteBatch")
    definition = echo(stack, {})
    definition["States"]["Call"]["Arguments"]["FunctionName"] = other
    end = machines.run(definition)
    assert end["error"] == "Lambda.AWSLambdaException"
    assert "lambda:InvokeFunction" in end["cause"]


def test_a_job_definition_that_the_role_may_not_use_is_not_used(machines: Any, stack: Stack):
    submit = {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Arguments": {
            "JobName": "one",
            "JobQueue": stack.outputs["JobQueueArn"],
            "JobDefinition": stack.outputs["PlainJobDefinitionArn"],
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Run", "States": {"Run": submit}}
    end = machines.run(definition)
    assert end["error"] == "Batch.AWSBatchException"
    assert stack.outputs["PlainJobDefinitionArn"] in end["cause"]


def test_a_role_without_the_managed_rule_cannot_wait_for_a_job(
    machines: Any, stack: Stack, engine: Any
):
    iam = engine.client("iam")
    name = f"no-events-{uuid4().hex[:8]}"
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allowed = {"Effect": "Allow", "Action": "batch:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="batch", PolicyDocument=document)
    submit: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob",
        "Arguments": {
            "JobName": "one",
            "JobQueue": stack.outputs["JobQueueArn"],
            "JobDefinition": stack.outputs["PlainJobDefinitionArn"],
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Run", "States": {"Run": submit}}
    assert machines.run(definition, role_arn=role["Arn"])["status"] == "SUCCEEDED"
    submit["Resource"] += ".sync"
    end = machines.run(definition, role_arn=role["Arn"])
    assert end["status"] == "FAILED"
    assert "events:PutTargets" in end["cause"]


def test_a_distributed_map_needs_the_right_to_start_its_own_machine(machines: Any, stack: Stack):
    each = {
        "Type": "Map",
        "Items": [1],
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Same",
            "States": {"Same": {"Type": "Pass", "End": True}},
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Each", "States": {"Each": each}}
    end = machines.run(definition)
    # The stack's role may start the stack's machine; this one is another.
    assert "states:StartExecution" in (end.get("cause") or "")
