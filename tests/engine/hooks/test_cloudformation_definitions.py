"""State machine definitions in YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.deploy import Stack, deploy_stack
from imagemill_engine.engine import Engine
from imagemill_engine.errors import DeployError


def definition_of(engine: Engine, stack: Stack) -> Any:
    described = engine.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack.outputs["StateMachineArn"]
    )
    return json.loads(described["definition"])


def test_a_substitution_without_quotes_becomes_a_number(engine: Engine, stack: Stack):
    assert definition_of(engine, stack)["States"]["EachItem"]["MaxConcurrency"] == 3


def test_a_substitution_within_a_string_stays_one(engine: Engine, stack: Stack):
    reader = definition_of(engine, stack)["States"]["EachItem"]["ItemReader"]
    assert reader["Arguments"]["Bucket"] == stack.outputs["OutputBucketName"]


def test_a_definition_that_cannot_be_read_is_a_reason(engine: Engine, tmp_path: Path):
    (tmp_path / "machine.yaml").write_text("States: [")
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        "  Role:\n"
        "    Type: AWS::IAM::Role\n"
        "    Properties: {AssumeRolePolicyDocument: {Statement: []}}\n"
        "  Machine:\n"
        "    Type: AWS::Serverless::StateMachine\n"
        "    Properties: {DefinitionUri: machine.yaml, Role: !GetAtt Role.Arn}\n"
    )
    with pytest.raises(DeployError, match=r"Machine \(AWS::StepFunctions.*while parsing"):
        deploy_stack(engine, tmp_path / "template.yaml", {}, "broken")
