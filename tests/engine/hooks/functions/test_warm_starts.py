"""What is started before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill_engine.deploy import deploy_stack
from imagemill_engine.engine import Engine

PROJECT_TEMPLATE = Path(__file__).parents[4] / "template.yaml"
SPAWNED = "Lambda worker spawned for warm-"


def started_functions(engine: Engine) -> set[str]:
    """The functions of the stack `warm` whose processes the engine's log tells of."""
    lines = engine.log_path.read_text().splitlines()
    return {line.partition(SPAWNED)[2].split("-")[0] for line in lines if SPAWNED in line}


def test_chosen_functions_are_started_before_they_are_called(
    engine: Engine, until: Callable[..., Any]
):
    window = {"BatchingWindowSeconds": "300"}  # S3's test event would start GroupObjects
    deploy_stack(engine, PROJECT_TEMPLATE, {"MaxvCpus": "2", **window}, "warm")
    chosen = {"PlanRunFunction", "AggregateRunFunction"}
    until(lambda: chosen <= started_functions(engine))
    assert started_functions(engine) == chosen
    assert "The function warm-" not in engine.log_path.read_text()  # "... does not start"


def test_a_function_that_cannot_start_says_so_when_it_is_invoked(
    engine: Engine, tmp_path: Path, until: Callable[..., Any]
):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "broken.py").write_text("import no_such_module\n")
    lambda_may = (
        "{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}"
    )
    trust = f"{{Version: 2012-10-17, Statement: [{lambda_may}]}}"
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        f"  Role: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {trust}}}}}\n"
        "  BrokenFunction:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties:\n"
        "      Runtime: python3.13\n"
        "      Handler: broken.lambda_handler\n"
        "      CodeUri: code/\n"
        "      Role: !GetAtt Role.Arn\n"
        "Outputs: {Name: {Value: !Ref BrokenFunction}}\n"
    )
    stack = deploy_stack(engine, template, {}, "broken-functions")
    name = stack.outputs["Name"]
    until(lambda: f"{name} does not start" in engine.log_path.read_text())
    answer = engine.client("lambda").invoke(FunctionName=name)
    assert "FunctionError" in answer
    assert "No module named 'no_such_module'" in answer["Payload"].read().decode()
