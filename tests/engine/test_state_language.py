"""JSONata in the places where the project's state machine uses it."""

from typing import Any

import pytest


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


def test_a_catch_assigns_and_gives_the_error_on(machines: Any):
    branch = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "A", "Cause": '{"b":1}'}}}
    guard = {
        "Type": "Parallel",
        "Branches": [branch],
        "Catch": [
            {
                "ErrorEquals": ["A"],
                "Assign": {"seen": "{% $states.errorOutput.Error %}"},
                "Output": "{% $parse($states.errorOutput.Cause).b %}",
                "Next": "Tell",
            }
        ],
        "End": True,
    }
    tell = {"Type": "Succeed", "Output": {"seen": "{% $seen %}", "b": "{% $states.input %}"}}
    end = machines.run(jsonata("Guard", Guard=guard, Tell=tell))
    assert end["result"] == {"seen": "A", "b": 1}


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
    tell = {"Type": "Succeed", "Output": "{% $said %}"}
    end = machines.run(jsonata("Choose", Choose=choice, Tell=tell), {"count": count})
    assert end["result"] == said


def test_states_in_a_map_inherit_the_query_language(machines: Any):
    inner = {"Type": "Pass", "Output": "{% $states.input + 1 %}", "End": True}
    each = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemProcessor": {"StartAt": "Add", "States": {"Add": inner}},
        "Output": "{% $sum($states.result) %}",
        "End": True,
    }
    assert machines.run(jsonata("Each", Each=each), {"items": [1, 2]})["result"] == 5


def test_a_parallel_state_takes_arguments_and_gives_an_output(machines: Any):
    branch = {
        "StartAt": "Inc",
        "States": {"Inc": {"Type": "Pass", "Output": "{% $states.input.n + 1 %}", "End": True}},
    }
    both = {
        "Type": "Parallel",
        "Arguments": {"n": "{% $states.input.start %}"},
        "Branches": [branch, branch],
        "Assign": {"total": "{% $sum($states.result) %}"},
        "Output": "{% $states.result[0] %}",
        "Next": "Tell",
    }
    tell = {
        "Type": "Succeed",
        "Output": {"total": "{% $total %}", "first": "{% $states.input %}"},
    }
    end = machines.run(jsonata("Both", Both=both, Tell=tell), {"start": 4})
    assert end["result"] == {"total": 10, "first": 5}


def test_a_wait_is_computed(machines: Any):
    wait = {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": "Done"}
    end = machines.run(jsonata("Wait", Wait=wait, Done=DONE), {"seconds": 1})
    assert 1 <= (end["stopDate"] - end["startDate"]).total_seconds() < 2


def test_a_variable_may_be_null(machines: Any):
    assign = {"Type": "Pass", "Assign": {"key": None}, "Next": "Tell"}
    tell = {"Type": "Succeed", "Output": {"key": "{% $key %}"}}
    assert machines.run(jsonata("Set", Set=assign, Tell=tell))["result"] == {"key": None}


def test_an_expression_without_a_result_fails_by_name(machines: Any):
    state = {"Type": "Pass", "Output": "{% $states.input.missing %}", "End": True}
    assert machines.run(jsonata("Ask", Ask=state))["error"] == "States.QueryEvaluationError"


def test_the_context_names_the_execution_and_its_role(machines: Any):
    tell = {
        "Type": "Succeed",
        "Output": {
            "name": "{% $states.context.Execution.Name %}",
            "role": "{% $states.context.Execution.RoleArn %}",
            "state": "{% $states.context.State.Name %}",
        },
    }
    end = machines.run(jsonata("Tell", Tell=tell))
    assert end["result"] == {"name": end["name"], "role": machines.role_arn, "state": "Tell"}
