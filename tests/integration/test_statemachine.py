"""The state machine against its schema and as a graph: what `sam validate --lint` does not read.

statelint 3.1.0 was tried and not taken: it refuses the fields `Label` and `InputType`, and JSONata
in `Timestamp`, all of which AWS accepts. What it finds beyond cfn-lint (wrong values in retries)
is checked here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_all

from tests.helpers.stack_template import ASL_PATH, definition, resources_of
from tests.helpers.state_machine_faults import (
    expression_faults,
    expressions,
    graph_faults,
    machines,
    retry_faults,
)

ROLE_ARN = "arn:aws:iam::123456789012:role/preprocess"


def lint_faults(machine: dict[str, Any]) -> list[str]:
    """What cfn-lint says of the definition when it stands in a template instead of a file."""
    properties = {"RoleArn": ROLE_ARN, "Definition": machine}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    matches = lint_all(json.dumps({"Resources": {"Machine": resource}}))
    return [match.message for match in matches if match.rule.id[0] in "EW"]


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
        ("Next: PlanShown", "Next: PreprocessShards", "PlanShown is never reached"),
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
    child = definition()["States"]["PreprocessShards"]["ItemProcessor"]
    state = child["States"]["RunStage"]
    assert state["Resource"].endswith("batch:submitJob.sync")
    retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
    assert "States.TaskFailed" not in retried
    assert "Batch.TooManyRequestsException" in retried
    assert all(rule["JitterStrategy"] == "FULL" for rule in state["Retry"])
    assert child["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


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
