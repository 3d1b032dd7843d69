"""`imagemill plan`: what a run would do and cost, before anything runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from imagemill.errors import UsageError
from imagemill.execution import follow, start_run
from imagemill.folders import check_has_pictures, checked_folders
from imagemill.local_stack import local_stack
from imagemill.options.filters import Filters
from imagemill.run_request import bucket_request, folder_request
from imagemill_contract.recipe import Recipe

POLL_SECONDS = 0.03


def planned_folder(
    photos: str, out: str | None, recipe: Recipe, filters: Filters, *, vcpus: int | None
) -> dict[str, Any]:
    """What a run over a folder would do. Raises UsageError if it would be refused."""
    fields = {**filters.to_fields(), "dry_run": True}
    with tempfile.TemporaryDirectory(prefix="imagemill-plan-") as nowhere:
        folders = checked_folders(photos, out or nowhere)
        if not folders.out.exists():
            folders = replace(folders, out=Path(nowhere))
        request = folder_request(folders, recipe, fields)
        if "manifest" not in fields:
            check_has_pictures(folders.photos)
        with local_stack(vcpus=vcpus) as stack:
            return _dry_run(stack.client("stepfunctions"), stack.state_machine_arn, request)


def planned_bucket(
    source: str, stack_name: str, recipe: Recipe, filters: Filters
) -> dict[str, Any]:
    """What a run of a deployed stack would do. Raises UsageError if it would be refused."""
    fields = {**filters.to_fields(of_bucket=True), "dry_run": True}
    request = bucket_request(source, recipe, fields)
    try:
        machine_arn = _state_machine_of(stack_name)
        return _dry_run(boto3.client("stepfunctions"), machine_arn, request)
    except (BotoCoreError, ClientError) as error:
        reason = str(error).rstrip(".")
        raise UsageError(f'--stack: "{stack_name}" cannot be asked: {reason}.') from None


def _state_machine_of(stack_name: str) -> str:
    """ARN of the state machine of a deployed stack. Raises UsageError if it has none."""
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stacks[0].get("Outputs", ())}
    if "StateMachineArn" not in outputs:
        raise UsageError(f'--stack: "{stack_name}" is no stack of imagemill.')
    return str(outputs["StateMachineArn"])


def _dry_run(states: Any, state_machine_arn: str, request: Mapping[str, object]) -> dict[str, Any]:
    execution = start_run(states, state_machine_arn, request)
    follow(execution, lambda: time.sleep(POLL_SECONDS))
    return execution.result()
