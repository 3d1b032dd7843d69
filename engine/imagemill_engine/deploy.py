"""Deploys a SAM template to the engine: package, then create or update the stack.

A package can be made before the engine is ready.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from imagemill_engine.aws_yaml import load_template
from imagemill_engine.engine import Engine
from imagemill_engine.errors import DeployError
from imagemill_engine.packaging import artifact_key, packed
from imagemill_engine.shapes import Client, Document
from imagemill_engine.translation import translated

ARTIFACT_BUCKET = "imagemill-artifacts"
STACK_NAME = "imagemill"
DEPLOY_SECONDS = 120.0
POLL_SECONDS = 0.05
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
NOTHING_TO_DO = "No updates are to be performed"
CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that has been deployed, with the outputs of its template."""

    name: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Package:
    """Artifacts by their keys, and the address of the template, which is one of them."""

    template_address: str
    artifacts: Mapping[str, bytes]


def package_of(template_path: Path) -> Package:
    """A SAM template with its files. Raises DeployError when it is wrong."""
    artifacts: dict[str, bytes] = {}

    def add(suffix: str, content: bytes) -> str:
        key = artifact_key(suffix, content)
        artifacts[key] = content
        return f"s3://{ARTIFACT_BUCKET}/{key}"

    template = translated(packed(_loaded(template_path), template_path.parent, add))
    # as `sam deploy` does it: a template of more than 51,200 bytes cannot be in a request
    address = add(".template", json.dumps(template).encode())
    return Package(address, artifacts)


def deploy_stack(
    engine: Engine,
    template_path: Path,
    parameters: Mapping[str, str],
    stack_name: str = STACK_NAME,
) -> Stack:
    """Create the stack of a template, or update it when it exists.

    Raises `DeployError` with what failed and why.
    """
    return deploy_package(engine, package_of(template_path), parameters, stack_name)


def deploy_package(
    engine: Engine,
    package: Package,
    parameters: Mapping[str, str],
    stack_name: str = STACK_NAME,
) -> Stack:
    """Create the stack of a package, or update it when it exists. Raises DeployError."""
    _upload(engine.client("s3"), package.artifacts)
    _create_or_update(engine, stack_name, package.template_address, parameters)
    return Stack(stack_name, _outputs_when_done(engine, stack_name))


def _loaded(path: Path) -> Document:
    try:
        return load_template(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DeployError(f"{path} cannot be read: {error}") from error


def _upload(s3: Client, artifacts: Mapping[str, bytes]) -> None:
    with contextlib.suppress(
        s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists
    ):
        s3.create_bucket(Bucket=ARTIFACT_BUCKET)
    for key, content in artifacts.items():
        s3.put_object(Bucket=ARTIFACT_BUCKET, Key=key, Body=content)


def _create_or_update(
    engine: Engine, name: str, template_address: str, parameters: Mapping[str, str]
) -> None:
    cloudformation = engine.client("cloudformation")
    request = {
        "StackName": name,
        "TemplateURL": template_address.replace("s3://", "https://s3.amazonaws.com/"),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    }
    operation = cloudformation.update_stack
    if not _exists(cloudformation, name):
        operation = cloudformation.create_stack
        request["OnFailure"] = "DO_NOTHING"  # the engine is thrown away; the reasons are not
    try:
        operation(**request)
    except cloudformation.exceptions.ClientError as error:
        message = error.response["Error"].get("Message", str(error))
        if NOTHING_TO_DO not in message:
            raise DeployError(f"The stack {name} is refused: {message}") from error


def _exists(cloudformation: Client, name: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=name)
    except cloudformation.exceptions.ClientError:
        return False
    return True


def _outputs_when_done(engine: Engine, name: str) -> dict[str, str]:
    cloudformation = engine.client("cloudformation")
    deadline = time.monotonic() + DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] in DONE:
            return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise DeployError(_explanation(cloudformation, stack))
        engine.check()
        time.sleep(POLL_SECONDS)
    raise DeployError(f"The stack {name} is not deployed after {DEPLOY_SECONDS:.0f} seconds.")


def _explanation(cloudformation: Client, stack: Document) -> str:
    events = cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
    failed = [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and event["LogicalResourceId"] != stack["StackName"]
        and (reason := event.get("ResourceStatusReason", ""))
        and CANCELLED not in reason.lower()
    ]
    reasons = failed or [f"  {stack.get('StackStatusReason', 'no reason is known')}"]
    return "\n".join([f"The stack {stack['StackName']} ended as {stack['StackStatus']}:", *reasons])
