"""AWS::Batch resources in CloudFormation, which the emulator lacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ministack.services import batch
from ministack.services.cloudformation import provisioners

from imagemill_engine.hooks import patching
from imagemill_engine.hooks.camel_case import to_camel
from imagemill_engine.shapes import Document

Provisioned = tuple[str, Document]  # physical id, attributes for Fn::GetAtt

MAX_NAME_CHARACTERS = 128


def install() -> None:
    """Add the three types. Without an `update`, a change of the template is another `create`."""
    handlers = patching.require_table(provisioners, "_RESOURCE_HANDLERS")
    patching.require_function(
        provisioners,
        "_physical_name",
        ["stack_name", "logical_id", "lowercase", "max_len", "seeded"],
    )
    for name in ("_compute_envs", "_job_queues", "_job_definitions"):
        patching.require(batch, name)
    for name in ("_ce_arn", "_jq_arn"):
        patching.require_function(batch, name, ["name"])
    patching.require_function(batch, "_jd_arn", ["name", "revision"])
    handlers["AWS::Batch::ComputeEnvironment"] = {
        "create": put_compute_environment,
        "delete": partial(_delete, batch._compute_envs),
    }
    handlers["AWS::Batch::JobQueue"] = {
        "create": put_job_queue,
        "delete": partial(_delete, batch._job_queues),
    }
    handlers["AWS::Batch::JobDefinition"] = {
        "create": add_job_definition,
        "delete": keep_job_definition,
    }


def put_compute_environment(logical_id: str, properties: Document, stack: str) -> Provisioned:
    """Create a compute environment, or put the changed one in its place."""
    members = to_camel(properties)
    name = _name(members.get("computeEnvironmentName"), stack, logical_id)
    arn = batch._ce_arn(name)
    batch._compute_envs[name] = {
        "state": "ENABLED",
        **members,
        "computeEnvironmentName": name,
        "computeEnvironmentArn": arn,
        "status": "VALID",
    }
    return arn, {"ComputeEnvironmentArn": arn}


def put_job_queue(logical_id: str, properties: Document, stack: str) -> Provisioned:
    """Create a job queue, or put the changed one in its place."""
    members = to_camel(properties)
    name = _name(members.get("jobQueueName"), stack, logical_id)
    arn = batch._jq_arn(name)
    batch._job_queues[name] = {
        "state": "ENABLED",
        **members,
        "jobQueueName": name,
        "jobQueueArn": arn,
        "status": "VALID",
    }
    return arn, {"JobQueueArn": arn}


def add_job_definition(logical_id: str, properties: Document, stack: str) -> Provisioned:
    """Register a job definition, or its next revision under the same name."""
    members = to_camel(properties)
    name = _name(members.get("jobDefinitionName"), stack, logical_id)
    revisions = batch._job_definitions.setdefault(name, [])
    revision = len(revisions) + 1
    arn = batch._jd_arn(name, revision)
    revisions.append(
        {
            **members,
            "jobDefinitionName": name,
            "jobDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
        }
    )
    return arn, {"JobDefinitionArn": arn}


def keep_job_definition(_physical_id: str, _properties: Document) -> None:
    """Every revision stays: the definitions of the stack set SkipDeregisterOnUpdate."""


def _delete(store: Document, physical_id: str, _properties: Document) -> None:
    store.pop(physical_id.rsplit("/", 1)[-1], None)


def _name(explicit: str | None, stack: str, logical_id: str) -> str:
    generate: Callable[..., str] = provisioners._physical_name
    return explicit or generate(stack, logical_id, max_len=MAX_NAME_CHARACTERS)
