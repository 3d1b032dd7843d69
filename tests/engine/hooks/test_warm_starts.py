"""What is started before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill_engine.deploy import deploy_stack
from imagemill_engine.engine import Engine

PROJECT_TEMPLATE = Path(__file__).parents[3] / "template.yaml"
SPAWNED = "Lambda worker spawned for warm-"


def started_functions(engine: Engine) -> set[str]:
    """The functions of the stack `warm` whose processes the engine's log tells of."""
    lines = engine.log_path.read_text().splitlines()
    return {line.partition(SPAWNED)[2].split("-")[0] for line in lines if SPAWNED in line}


def test_functions_of_a_state_machine_are_started_before_it_calls_them(
    engine: Engine, until: Callable[..., Any]
):
    window = {"BatchingWindowSeconds": "300"}  # S3's test event would start GroupObjects
    deploy_stack(engine, PROJECT_TEMPLATE, {"MaxvCpus": "2", **window}, "warm")
    called = {"PlanRunFunction", "AggregateRunFunction"}
    until(lambda: called <= started_functions(engine))
    assert started_functions(engine) == called
    assert "The function warm-" not in engine.log_path.read_text()  # "... does not start"


def test_a_function_that_cannot_start_says_so_when_it_is_invoked(
    engine: Engine, tmp_path: Path, until: Callable[..., Any]
):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "broken.py").write_text("import no_such_module\n")
    role = "{Version: 2012-10-17, Statement: []}"
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        f"  Role: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {role}}}}}\n"
        "  Broken:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties:\n"
        "      Runtime: python3.13\n"
        "      Handler: broken.lambda_handler\n"
        "      CodeUri: code/\n"
        "      Role: !GetAtt Role.Arn\n"
        "  Machine:\n"
        "    Type: AWS::StepFunctions::StateMachine\n"
        "    Properties:\n"
        "      RoleArn: !GetAtt Role.Arn\n"
        "      DefinitionString: !Sub |\n"
        '        {"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,\n'
        '         "Resource": "${Broken.Arn}"}}}\n'
        "Outputs: {Name: {Value: !Ref Broken}}\n"
    )
    stack = deploy_stack(engine, template, {}, "broken")
    until(lambda: f"{stack.outputs['Name']} does not start" in engine.log_path.read_text())
    functions = engine.client("lambda")
    answer = functions.invoke(FunctionName=stack.outputs["Name"])
    assert "FunctionError" in answer
    assert "No module named 'no_such_module'" in answer["Payload"].read().decode()
