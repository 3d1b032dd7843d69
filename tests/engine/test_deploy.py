"""Deploying templates, the project's own among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.aws_yaml import load_template
from imagemill_engine.deploy import deploy_stack
from imagemill_engine.engine import Engine
from imagemill_engine.errors import DeployError

PROJECT_TEMPLATE = Path(__file__).parents[2] / "template.yaml"


# Conditions that do not hold with the template's defaults.
CHOSEN_BY_PARAMETERS = {
    "UsesExistingInputBucket",
    "UsesFargate",
    "UsesOnDemand",
    "HasFourthZone",
    "HasGpu",
    "HasKey",
    "HasMail",
    "UsesNat",
    "UsesEndpoints",
}


def test_every_resource_of_the_projects_template_is_created(engine: Engine):
    stack = deploy_stack(engine, PROJECT_TEMPLATE, {"MaxvCpus": "2"}, "project")
    template = load_template(PROJECT_TEMPLATE.read_text())
    shown = {
        name
        for name, output in template["Outputs"].items()
        if output.get("Condition") not in CHOSEN_BY_PARAMETERS
    }
    assert shown == set(stack.outputs)
    pages = engine.client("cloudformation").get_paginator("list_stack_resources")
    created = {
        found["LogicalResourceId"]: found["ResourceStatus"]
        for page in pages.paginate(StackName="project")
        for found in page["StackResourceSummaries"]
    }
    assert set(created.values()) == {"CREATE_COMPLETE"}
    of_choice = {
        name: resource.get("Condition") for name, resource in template["Resources"].items()
    }
    expected = {
        name
        for name, condition in of_choice.items()
        if not name.endswith("Layer")  # renamed by its content, as on AWS
        and condition not in CHOSEN_BY_PARAMETERS
    }
    assert expected <= created.keys()
    left_out = {name for name, condition in of_choice.items() if condition in CHOSEN_BY_PARAMETERS}
    assert left_out.isdisjoint(created)


def written(folder: Path, text: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(text)
    return path


def test_what_failed_and_why_is_in_the_error(engine: Engine, tmp_path: Path):
    template = written(
        tmp_path,
        "Resources:\n"
        "  Good: {Type: AWS::SQS::Queue}\n"
        "  Bad:\n"
        "    Type: AWS::StepFunctions::StateMachine\n"
        "    Properties:\n"
        "      RoleArn: arn:aws:iam::000000000000:role/none\n"
        "      DefinitionS3Location: {Bucket: no-such-bucket, Key: none.yaml}\n",
    )
    with pytest.raises(DeployError) as failed:
        deploy_stack(engine, template, {}, "failing")
    first, *reasons = str(failed.value).splitlines()
    assert first == "The stack failing ended as CREATE_FAILED:"
    assert len(reasons) == 1
    assert reasons[0].startswith("  Bad (AWS::StepFunctions::StateMachine): ")
    assert "s3://no-such-bucket/none.yaml" in reasons[0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Resources: [", "cannot be read"),
        (
            "Transform: AWS::Serverless-2016-10-31\n"
            "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13}}}",
            r"refused: Resource with id \[F\] is invalid\. Only one of 'InlineCode' or 'CodeUri'",
        ),
        ("Resources: {F: {Type: AWS::No::Such}}", "AWS::No::Such"),
    ],
    ids=["yaml", "sam", "type"],
)
def test_a_template_that_is_wrong_is_refused(engine: Engine, tmp_path: Path, text: str, match: str):
    with pytest.raises(DeployError, match=match):
        deploy_stack(engine, written(tmp_path, text), {}, "wrong")


def test_a_template_that_is_not_there_is_refused(engine: Engine, tmp_path: Path):
    with pytest.raises(DeployError, match="cannot be read"):
        deploy_stack(engine, tmp_path / "none.yaml", {}, "none")


def test_parameters_reach_functions_jobs_and_the_event_source(engine: Engine, stack: Any):
    functions = engine.client("lambda")
    [mapping] = functions.list_event_source_mappings(
        EventSourceArn=engine.client("sqs").get_queue_attributes(
            QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )["EventSourceMappings"]
    assert mapping["BatchSize"] == 10_000
    assert mapping["MaximumBatchingWindowInSeconds"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
