"""A window's run is started once, however often it is started."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from imagemill_app.ingest.window_run import start_window_run
from imagemill_contract.requests.windows import Window

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:preprocess"
WINDOW = Window.at(datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC), 60)
CLOSES = datetime(2026, 11, 23, 10, 16, 10, tzinfo=UTC)


class ExecutionAlreadyExists(Exception):
    pass


class Throttled(Exception):
    pass


class StepFunctions:
    """Executions by their ARNs, each with its status; a name is used once."""

    exceptions = SimpleNamespace(ExecutionAlreadyExists=ExecutionAlreadyExists)

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.inputs: list[str] = []

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # AWS's own
        arn = stateMachineArn.replace(":stateMachine:", ":execution:") + f":{name}"
        self.inputs.append(input)
        if arn in self.statuses:
            raise ExecutionAlreadyExists(name)
        self.statuses[arn] = "RUNNING"

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # AWS's own
        return {"status": self.statuses[executionArn]}


def start(states: StepFunctions) -> bool:
    return start_window_run(states, MACHINE, WINDOW, CLOSES)


def test_first_start_has_the_name_and_the_input_of_the_window() -> None:
    states = StepFunctions()
    assert start(states)
    assert list(states.statuses) == [
        "arn:aws:states:eu-west-1:123456789012:execution:preprocess:upload-20261123T101500Z-60s"
    ]
    assert json.loads(states.inputs[0]) == {
        "window": "20261123T101500Z-60s",
        "closes": "2026-11-23T10:16:10Z",
    }


def test_every_further_start_asks_for_the_same_and_starts_nothing() -> None:
    states = StepFunctions()
    assert [start(states) for _ in range(4)] == [True] * 4
    assert len(set(states.inputs)) == len(states.statuses) == 1


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_run_that_has_ended_is_not_running(status: str) -> None:
    states = StepFunctions()
    start(states)
    states.statuses = dict.fromkeys(states.statuses, status)
    assert not start(states)


def test_any_other_error_is_raised_so_that_the_messages_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states = StepFunctions()

    def throttled(**_: object) -> None:
        raise Throttled

    monkeypatch.setattr(states, "start_execution", throttled)
    with pytest.raises(Throttled):
        start(states)
