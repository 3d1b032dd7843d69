"""The state machine against its schema and as a graph: what `sam validate --lint` does not read.

statelint 3.1.0 was tried and not taken: it refuses the fields `Label` and `InputType`, and JSONata
in `Timestamp`, all of which AWS accepts. What it finds beyond cfn-lint (wrong values in retries)
is checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_all
from jsonata import Jsonata
from jsonata.jexception import JException

from tests.helpers.stack_template import ASL_PATH, definition, resources_of

ROLE_ARN = "arn:aws:iam::123456789012:role/preprocess"


def lint_faults(machine: dict[str, Any]) -> list[str]:
    """What cfn-lint says of the definition when it stands in a template instead of a file."""
    properties = {"RoleArn": ROLE_ARN, "Definition": machine}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    matches = lint_all(json.dumps({"Resources": {"Machine": resource}}))
    return [match.message for match in matches if match.rule.id[0] in "EW"]


def machines(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The state machine and those within its Map states."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def next_states(state: dict[str, Any]) -> set[str]:
    steps = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {step["Next"] for step in steps if "Next" in step} | (
        {state["Default"]} if "Default" in state else set()
    )


def graph_faults(machine: dict[str, Any]) -> list[str]:
    """What is wrong with the arrows: missing targets, unreachable states, ends that are none."""
    faults = []
    for inner in machines(machine):
        states = inner["States"]
        reached, waiting = set(), {inner["StartAt"]}
        while waiting:
            name = waiting.pop()
            if name not in states:
                faults.append(f"{name} does not exist")
                continue
            reached.add(name)
            waiting |= next_states(states[name]) - reached
        faults += [f"{name} is never reached" for name in sorted(set(states) - reached)]
        for name, state in states.items():
            ends = state.get("End", False) or state["Type"] in {"Succeed", "Fail"}
            if ends == bool(next_states(state)):
                faults.append(f"{name} must either go on or end")
    return faults


def test_definition_passes_the_schema() -> None:
    assert lint_faults(definition()) == []


def test_schema_finds_a_wrong_state() -> None:
    machine = definition()
    machine["States"]["PreprocessShards"]["ItemsPath"] = "$.items"
    assert any("ItemsPath" in fault for fault in lint_faults(machine))


def test_graph_is_whole() -> None:
    assert graph_faults(definition()) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Next: JudgeRun", "Next: Judge", "Judge does not exist"),
        ("Default: RunFailed", "Default: RunSucceeded", "RunFailed is never reached"),
        ("Next: ShardDone", "End: true", "ShardDone is never reached"),
    ],
)
def test_broken_arrow_is_found(
    old: str, new: str, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = ASL_PATH.read_text().replace(old, new)
    assert broken != ASL_PATH.read_text()
    path = tmp_path / "broken.yaml"
    path.write_text(broken)
    monkeypatch.setattr("tests.helpers.stack_template.ASL_PATH", path)
    assert fault in graph_faults(definition())


def test_every_substitution_is_given_and_used() -> None:
    (machine,) = resources_of("AWS::Serverless::StateMachine").values()
    used = set(re.findall(r"\$\{(\w+)\}", ASL_PATH.read_text()))
    assert used == set(machine["DefinitionSubstitutions"])


def test_errors_are_caught_by_name() -> None:
    named = [
        error
        for inner in machines(definition())
        for state in inner["States"].values()
        for rule in [*state.get("Retry", []), *state.get("Catch", [])]
        for error in rule["ErrorEquals"]
    ]
    assert named
    assert "States.ALL" not in named


def test_jobs_are_waited_for_and_a_failed_one_is_not_submitted_again() -> None:
    (child,) = list(machines(definition()))[1:]
    for name in ("Resize", "Edge"):
        state = child["States"][name]
        assert state["Resource"].endswith("batch:submitJob.sync")
        retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
        assert "States.TaskFailed" not in retried
        assert "Batch.TooManyRequestsException" in retried
        assert all(rule["JitterStrategy"] == "FULL" for rule in state["Retry"])
    assert child["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def expressions(value: object) -> Iterator[str]:
    """The JSONata expressions in a definition, without their `{% %}`."""
    if isinstance(value, str):
        yield from re.findall(r"^\{%(.*)%\}$", value, re.S)
    elif isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


def names_assigned(value: object) -> set[str]:
    """The variables that the states of a definition assign."""
    if isinstance(value, list):
        return set().union(*map(names_assigned, value))
    if not isinstance(value, dict):
        return set()
    return set(value.get("Assign", {})).union(*map(names_assigned, value.values()))


def expression_faults(machine: dict[str, Any]) -> list[str]:
    """Expressions that are no JSONata, and variables that nothing assigns."""
    faults = []
    known = names_assigned(machine) | {"states"}
    for text in expressions(machine):
        try:
            Jsonata(text)
        except JException as error:
            faults.append(f"{text}: {error}")
        named = set(re.findall(r"\$([A-Za-z_]\w*)\b(?!\()", text))
        faults += [f"{text}: nothing assigns {name}" for name in sorted(named - known)]
    return faults


def retry_faults(machine: dict[str, Any]) -> list[str]:
    """Retries whose numbers AWS refuses (Step Functions guide, "Retrying after an error")."""
    faults = []
    states = [item for inner in machines(machine) for item in inner["States"].items()]
    for name, rule in [(name, rule) for name, state in states for rule in state.get("Retry", [])]:
        if rule.get("BackoffRate", 2) < 1:
            faults.append(f"{name}: a BackoffRate below 1")
        if rule.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            faults.append(f"{name}: no such JitterStrategy")
        if rule.get("MaxDelaySeconds", 31_622_400) <= rule.get("IntervalSeconds", 1):
            faults.append(f"{name}: MaxDelaySeconds is not more than IntervalSeconds")
    return faults


def test_numbers_of_retries_are_those_that_aws_takes() -> None:
    assert retry_faults(definition()) == []


@pytest.mark.parametrize(
    "wrong", [{"BackoffRate": 0.5}, {"JitterStrategy": "SOME"}, {"MaxDelaySeconds": 1}], ids=str
)
def test_wrong_retry_is_found(wrong: dict[str, Any]) -> None:
    machine = definition()
    machine["States"]["PlanRun"]["Retry"][1].update(wrong)
    assert retry_faults(machine) != []


def test_every_expression_is_jsonata_of_assigned_variables() -> None:
    assert len(list(expressions(definition()))) > 10
    assert expression_faults(definition()) == []


@pytest.mark.parametrize("text", ["{% $run. %}", "{% $runs.items_key %}"])
def test_wrong_expression_is_found(text: str) -> None:
    machine = definition()
    machine["States"]["PlanShown"]["Output"] = text
    assert expression_faults(machine) != []
