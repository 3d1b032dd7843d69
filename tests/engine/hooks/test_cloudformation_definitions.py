"""State machine definitions in YAML."""

import json
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.deploy import Stack, deploy_stack
from imagemill_engine.engine import Engine
from imagemill_engine.errors import DeployError
from imagemill_engine.yaml_json import load_definition, load_template


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [("States: [", "neither JSON nor YAML"), ("just: a mapping", "has no States")],
)
def test_a_definition_that_is_none_is_a_reason(
    engine: Engine, tmp_path: Path, text: str, reason: str
):
    (tmp_path / "machine.yaml").write_text(text)
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
    name = f"broken-{abs(hash(text))}"
    with pytest.raises(DeployError, match=rf"Machine \(AWS::StepFunctions.*{reason}"):
        deploy_stack(engine, tmp_path / "template.yaml", {}, name)


def test_scalars_are_those_of_json():
    text = "{a: on, b: 2012-10-17, c: yes, d: true, e: 1, f: 1.5, g: null, h: 'false'}"
    assert load_definition(text) == {
        "a": "on",
        "b": "2012-10-17",
        "c": "yes",
        "d": True,
        "e": 1,
        "f": 1.5,
        "g": None,
        "h": "false",
    }


def test_short_forms_of_functions_become_the_long_ones():
    text = (
        "a: !Ref One\n"
        "b: !GetAtt One.Outputs.Two\n"
        "c: !Sub ['${x}', {x: !Ref One}]\n"
        "d: !If [Yes, !Ref One, !Ref 'AWS::NoValue']\n"
        "e: !Condition Yes\n"
        "f: !Select [0, !GetAZs '']\n"
        "g: !GetAtt [One, Arn]\n"
    )
    assert load_template(text) == {
        "a": {"Ref": "One"},
        "b": {"Fn::GetAtt": ["One", "Outputs.Two"]},
        "c": {"Fn::Sub": ["${x}", {"x": {"Ref": "One"}}]},
        "d": {"Fn::If": ["Yes", {"Ref": "One"}, {"Ref": "AWS::NoValue"}]},
        "e": {"Condition": "Yes"},
        "f": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        "g": {"Fn::GetAtt": ["One", "Arn"]},
    }
