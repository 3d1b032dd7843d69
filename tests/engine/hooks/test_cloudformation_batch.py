"""AWS::Batch resources: created, updated and deleted with their stack."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.deploy import deploy_stack
from imagemill_engine.engine import Engine


def revisions(engine: Engine, arn: str) -> dict[int, str]:
    name = arn.rsplit("/", 1)[-1].split(":")[0]
    found = engine.client("batch").describe_job_definitions(jobDefinitionName=name)
    return {one["revision"]: one["status"] for one in found["jobDefinitions"]}


def test_numbers_given_as_parameters_are_numbers(engine: Engine, stack: Any):
    batch = engine.client("batch")
    queue = batch.describe_job_queues(jobQueues=[stack.outputs["JobQueueArn"]])["jobQueues"][0]
    environment = queue["computeEnvironmentOrder"][0]["computeEnvironment"].rsplit("/", 1)[-1]
    found = batch.describe_compute_environments(computeEnvironments=[environment])
    resources = found["computeEnvironments"][0]["computeResources"]
    assert (resources["minvCpus"], resources["maxvCpus"]) == (0, 4)
    assert resources["allocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
    assert queue["jobStateTimeLimitActions"][0]["maxTimeSeconds"] == 600


def test_an_update_registers_the_next_revision_and_keeps_what_the_template_keeps(
    engine: Engine, stack_template: Path
):
    before = deploy_stack(engine, stack_template, {}, "changing").outputs
    same = deploy_stack(engine, stack_template, {}, "changing").outputs
    assert same == before  # an update without a change changes nothing
    after = deploy_stack(engine, stack_template, {"Greeting": "bye", "MaxvCpus": "9"}, "changing")
    kept, plain = after.outputs["JobDefinitionArn"], after.outputs["PlainJobDefinitionArn"]
    assert kept == before["JobDefinitionArn"][:-1] + "2"
    assert revisions(engine, kept) == {1: "ACTIVE", 2: "ACTIVE"}
    assert revisions(engine, plain) == {1: "INACTIVE", 2: "ACTIVE"}
    assert after.outputs["JobQueueArn"] == before["JobQueueArn"]


def test_deleting_the_stack_deletes_its_batch_resources(
    engine: Engine, stack_template: Path, until: Any
):
    outputs = deploy_stack(engine, stack_template, {}, "leaving").outputs
    cloudformation, batch = engine.client("cloudformation"), engine.client("batch")
    cloudformation.delete_stack(StackName="leaving")
    until(lambda: "leaving" not in str(cloudformation.describe_stacks()["Stacks"]))
    assert not batch.describe_job_queues(jobQueues=[outputs["JobQueueArn"]])["jobQueues"]
    assert set(revisions(engine, outputs["JobDefinitionArn"]).values()) == {"INACTIVE"}


@pytest.mark.parametrize("kind", ["ComputeEnvironment", "JobQueue", "JobDefinition"])
def test_the_emulator_still_lacks(kind: str):
    """When this fails, look whether its own provisioner makes ours unnecessary."""
    found = find_spec("ministack.services.cloudformation.provisioners")
    assert found is not None
    text = Path(str(found.origin)).read_text()
    assert f'"AWS::Batch::{kind}"' not in text
