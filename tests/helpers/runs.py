"""Runs on a deployed stack: started, waited for, and what they leave in its buckets."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.execution import Execution, start_run
from imagemill.local_stack import LocalStack
from imagemill_contract.locations import Location
from tests.helpers.waiting import until


def ended(execution: Execution) -> Execution:
    until(lambda: not execution.is_running(), "the run has ended")
    return execution


def keys_in(stack: LocalStack, bucket: str, prefix: str) -> set[str]:
    pages = (
        stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    )
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def executions(stack: LocalStack) -> dict[str, Execution]:
    states = stack.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
    return {item["name"]: Execution(states, item["executionArn"], item["name"]) for item in listed}


def start(stack: LocalStack, document: dict[str, Any]) -> Execution:
    return start_run(stack.client("stepfunctions"), stack.state_machine_arn, document)


def run_folder(
    stack: LocalStack, photos: Path, out: Path, recipe: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The output of a run over a folder, as `imagemill run` starts it, on a stack that is there."""
    request = {
        "source": str(Location.of_folder(PurePosixPath(photos))),
        "output": str(Location.of_folder(PurePosixPath(out))),
        "recipe": recipe or {},
    }
    return ended(start(stack, request)).result()


def resource_id(stack: LocalStack, logical_id: str) -> str:
    """The physical id of a resource of this stack, of which others may be on the engine."""
    described = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=logical_id
    )
    physical_id: str = described["StackResourceDetail"]["PhysicalResourceId"]
    return physical_id
