"""AWS::Batch resources: created, updated and deleted with their stack."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.deploy import deploy_stack
from imagemill_engine.engine import Engine


def definitions(engine: Engine, arn: str) -> list[dict[str, Any]]:
    """All revisions of a job definition, the oldest first."""
    name = arn.rsplit("/", 1)[-1].split(":")[0]
    found: list[dict[str, Any]] = engine.client("batch").describe_job_definitions(
        jobDefinitionName=name
    )["jobDefinitions"]
    return found


def queue_and_room(engine: Engine, queue_arn: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job queue, and the resources of its compute environment."""
    batch = engine.client("batch")
    [queue] = batch.describe_job_queues(jobQueues=[queue_arn])["jobQueues"]
    environment = queue["computeEnvironmentOrder"][0]["computeEnvironment"].rsplit("/", 1)[-1]
    found = batch.describe_compute_environments(computeEnvironments=[environment])
    return queue, found["computeEnvironments"][0]["computeResources"]


def test_resources_have_all_their_properties(engine: Engine, stack: Any):
    queue, resources = queue_and_room(engine, stack.outputs["JobQueueArn"])
    assert (queue["state"], queue["status"], queue["priority"]) == ("ENABLED", "VALID", 1)
    assert queue["jobStateTimeLimitActions"][0]["maxTimeSeconds"] == 600
    assert (resources["minvCpus"], resources["maxvCpus"]) == (0, 4)  # one is a parameter
    assert resources["allocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
    [definition] = definitions(engine, stack.outputs["JobDefinitionArn"])
    assert definition["parameters"] == {"script": "true"}
    assert definition["timeout"] == {"attemptDurationSeconds": 600}
    assert definition["retryStrategy"]["evaluateOnExit"][1] == {"onReason": "*", "action": "EXIT"}


def test_an_update_registers_the_next_revision_and_keeps_the_earlier_ones(
    engine: Engine, stack_template: Path
):
    before = deploy_stack(engine, stack_template, {}, "changing").outputs
    same = deploy_stack(engine, stack_template, {}, "changing").outputs
    assert same == before  # an update without a change changes nothing
    changes = {"Greeting": "bye", "MaxvCpus": "9"}
    after = deploy_stack(engine, stack_template, changes, "changing").outputs
    for name in ("JobDefinitionArn", "PlainJobDefinitionArn"):
        first, second = definitions(engine, after[name])
        assert (first["jobDefinitionArn"], first["status"]) == (before[name], "ACTIVE")
        assert (second["jobDefinitionArn"], second["status"]) == (after[name], "ACTIVE")
    assert after["JobQueueArn"] == before["JobQueueArn"]
    _, resources = queue_and_room(engine, after["JobQueueArn"])
    assert resources["maxvCpus"] == 9


def test_a_deleted_stack_can_be_deployed_again(engine: Engine, stack_template: Path, until: Any):
    queue = deploy_stack(engine, stack_template, {}, "leaving").outputs["JobQueueArn"]
    cloudformation, batch = engine.client("cloudformation"), engine.client("batch")
    cloudformation.delete_stack(StackName="leaving")
    until(lambda: "leaving" not in str(cloudformation.describe_stacks()["Stacks"]))
    assert not batch.describe_job_queues(jobQueues=[queue])["jobQueues"]
    assert deploy_stack(engine, stack_template, {}, "leaving").outputs["JobQueueArn"] == queue


@pytest.mark.parametrize("kind", ["ComputeEnvironment", "JobQueue", "JobDefinition"])
def test_the_emulator_still_lacks(kind: str):
    """When this fails, look whether its own provisioner makes ours unnecessary."""
    found = find_spec("ministack.services.cloudformation.provisioners")
    assert found is not None
    text = Path(str(found.origin)).read_text()
    assert f'"AWS::Batch::{kind}"' not in text
