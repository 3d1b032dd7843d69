"""AWS::Batch resources in CloudFormation, which the emulator lacks."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import batch
from ministack.services.cloudformation import provisioners

from imagemill_engine.hooks import seam
from imagemill_engine.hooks.batch_api import INACTIVE
from imagemill_engine.hooks.casing import to_camel

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]  # physical id, attributes for Fn::GetAtt

MAX_NAME_CHARACTERS = 128


def install() -> None:
    handlers = seam.require(provisioners, "_RESOURCE_HANDLERS")
    seam.require_function(
        provisioners,
        "_physical_name",
        ["stack_name", "logical_id", "lowercase", "max_len", "seeded"],
    )
    for name in (
        "_create_compute_environment",
        "_update_compute_environment",
        "_create_job_queue",
        "_register_job_definition",
    ):
        seam.require_function(batch, name, ["p"])
    handlers["AWS::Batch::ComputeEnvironment"] = {
        "create": create_compute_environment,
        "update": update_compute_environment,
        "delete": deleting(batch._compute_envs),
    }
    handlers["AWS::Batch::JobQueue"] = {
        "create": create_job_queue,
        "update": update_job_queue,
        "delete": deleting(batch._job_queues),
    }
    handlers["AWS::Batch::JobDefinition"] = {
        "create": create_job_definition,
        "update": update_job_definition,
        "delete": delete_job_definition,
    }


def create_compute_environment(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    name = _name(properties.get("ComputeEnvironmentName"), stack, logical_id)
    request = _compute_environment(properties) | {"computeEnvironmentName": name}
    arn = _called(batch._create_compute_environment, request)["computeEnvironmentArn"]
    return arn, {"ComputeEnvironmentArn": arn}


def update_compute_environment(
    physical_id: str, _old: Properties, properties: Properties, _stack: str
) -> Provisioned:
    name = physical_id.rsplit("/", 1)[-1]
    wanted = _compute_environment(properties)
    request: Properties = {"computeEnvironment": name}
    request |= {key: wanted[key] for key in ("state", "computeResources") if key in wanted}
    _called(batch._update_compute_environment, request)
    return physical_id, {"ComputeEnvironmentArn": physical_id}


def _compute_environment(properties: Properties) -> Properties:
    request: Properties = to_camel(properties)
    resources = request.get("computeResources") or {}
    for name in ("minvCpus", "maxvCpus", "desiredvCpus"):
        if name in resources:  # a parameter of the stack arrives as a string
            resources[name] = int(resources[name])
    return request


def create_job_queue(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    name = _name(properties.get("JobQueueName"), stack, logical_id)
    request = to_camel(properties) | {"jobQueueName": name}
    arn = _called(batch._create_job_queue, request)["jobQueueArn"]
    _keep_queue_members(name, request)
    return arn, {"JobQueueArn": arn}


def update_job_queue(
    physical_id: str, _old: Properties, properties: Properties, _stack: str
) -> Provisioned:
    _keep_queue_members(physical_id.rsplit("/", 1)[-1], to_camel(properties))
    return physical_id, {"JobQueueArn": physical_id}


def _keep_queue_members(name: str, request: Properties) -> None:
    members = ("state", "priority", "computeEnvironmentOrder", "jobStateTimeLimitActions")
    batch._job_queues[name] |= {key: request[key] for key in members if key in request}


def create_job_definition(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    name = _name(properties.get("JobDefinitionName"), stack, logical_id)
    return _registered(name, properties)


def update_job_definition(
    physical_id: str, _old: Properties, properties: Properties, _stack: str
) -> Provisioned:
    """The next revision under the same name.

    Once the whole update has succeeded, CloudFormation has the old revision deleted.
    """
    return _registered(_definition_name(physical_id), properties)


def delete_job_definition(physical_id: str, properties: Properties) -> None:
    """Deregister a revision, unless it has a successor and the template keeps the old ones."""
    revisions = batch._job_definitions.get(_definition_name(physical_id)) or []
    has_successor = bool(revisions) and revisions[-1]["jobDefinitionArn"] != physical_id
    if has_successor and _keeps_old_revisions(properties):
        return
    for revision in revisions:
        if revision["jobDefinitionArn"] == physical_id:
            revision["status"] = INACTIVE


def _registered(name: str, properties: Properties) -> Provisioned:
    request = to_camel(properties) | {"jobDefinitionName": name}
    arn = _called(batch._register_job_definition, request)["jobDefinitionArn"]
    return arn, {"JobDefinitionArn": arn}


def _definition_name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1].split(":")[0]


def _keeps_old_revisions(properties: Properties) -> bool:
    policy = properties.get("ResourceRetentionPolicy") or {}
    return str(policy.get("SkipDeregisterOnUpdate", "")).lower() == "true"


def deleting(store: Any) -> Callable[[str, Properties], None]:
    def delete(physical_id: str, _properties: Properties) -> None:
        store.pop(physical_id.rsplit("/", 1)[-1], None)

    return delete


def _name(explicit: str | None, stack: str, logical_id: str) -> str:
    generated = provisioners._physical_name(stack, logical_id, max_len=MAX_NAME_CHARACTERS)
    return explicit or str(generated)


def _called(function: Callable[[Properties], Any], request: Properties) -> Properties:
    """Raises ValueError, which CloudFormation reports as the reason of the failure."""
    status, _headers, body = function(request)
    document: Properties = json.loads(body)
    if status >= 400:
        raise ValueError(document.get("message", str(document)))
    return document
