"""What the project's state machine uses and the emulator does without a hook."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imagemill_engine.deploy import Stack


def jsonata(start: str, **states: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


DONE = {"Type": "Succeed"}


def test_a_fail_state_computes_its_error_and_cause(machines: Any):
    fail = {
        "Type": "Fail",
        "Error": "{% $states.input.kind & 'Error' %}",
        "Cause": "{% $string($count($states.input.shards)) & ' shards' %}",
    }
    end = machines.run(jsonata("Fail", Fail=fail), {"kind": "Lost", "shards": [1, 2]})
    assert (end["status"], end["error"], end["cause"]) == ("FAILED", "LostError", "2 shards")


@pytest.mark.parametrize(("count", "said"), [(0, "none"), (3, "some")])
def test_a_choice_follows_its_condition(machines: Any, count: int, said: str):
    choice = {
        "Type": "Choice",
        "Choices": [
            {
                "Condition": "{% $states.input.count = 0 %}",
                "Assign": {"said": "none"},
                "Next": "Tell",
            }
        ],
        "Assign": {"said": "some"},
        "Default": "Tell",
    }
    tell = {"Type": "Pass", "Output": "{% $said %}", "End": True}
    end = machines.run(jsonata("Choose", Choose=choice, Tell=tell), {"count": count})
    assert end["result"] == said


def test_a_wait_ends_at_its_timestamp(machines: Any):
    wait = {"Type": "Wait", "Timestamp": "{% $states.input.until %}", "Next": "Done"}
    until = datetime.now(UTC) + timedelta(seconds=2)
    end = machines.run(jsonata("Wait", Wait=wait, Done=DONE), {"until": until.isoformat()})
    assert end["status"] == "SUCCEEDED"
    assert end["stopDate"] >= until - timedelta(milliseconds=1)  # as the answer rounds it


def test_a_variable_may_be_null(machines: Any):
    assign = {"Type": "Pass", "Assign": {"key": None}, "Next": "Tell"}
    tell = {"Type": "Pass", "Output": {"key": "{% $key %}"}, "End": True}
    assert machines.run(jsonata("Set", Set=assign, Tell=tell))["result"] == {"key": None}


def test_an_expression_without_a_result_fails_by_name(machines: Any):
    state = {"Type": "Pass", "Output": "{% $states.input.missing %}", "End": True}
    assert machines.run(jsonata("Ask", Ask=state))["error"] == "States.QueryEvaluationError"


def test_the_context_names_the_execution(machines: Any):
    tell = {
        "Type": "Pass",
        "Output": {
            "name": "{% $states.context.Execution.Name %}",
            "started": "{% $states.context.Execution.StartTime %}",
        },
        "End": True,
    }
    end = machines.run(jsonata("Tell", Tell=tell))
    assert end["result"]["name"] == end["name"]
    assert datetime.fromisoformat(end["result"]["started"]) == end["startDate"]


def test_a_retrier_with_no_attempts_leaves_the_error_to_the_catcher(machines: Any, stack: Stack):
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": stack.outputs["EchoFunctionArn"],
            "Payload": {"failure": "ShardLostError"},
        },
        "Retry": [
            {"ErrorEquals": ["ShardLostError"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 60, "MaxAttempts": 3},
        ],
        "Catch": [
            {
                "ErrorEquals": ["ShardLostError"],
                "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}",
                "Next": "Done",
            }
        ],
        "End": True,
    }
    arn = machines.start(jsonata("Call", Call=call, Done=DONE))
    assert machines.end(arn)["result"] == "line one\nline two: it is gone"
    assert [event["type"] for event in machines.events(arn)].count("TaskFailed") == 1
