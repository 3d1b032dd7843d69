"""`imagemill plan`: what a run would do, take and cost, before anything runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from imagemill.errors import UsageError
from imagemill.execution import follow, start_run
from imagemill.folders import checked_folders
from imagemill.local_stack import local_stack
from imagemill.options.filters import Filters
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe

POLL_SECONDS = 0.1


def planned_folder(
    photos: Path, out: Path | None, recipe: Recipe, filters: Filters, *, vcpus: int | None
) -> dict[str, Any]:
    """What a run over a folder would do. Raises UsageError when it would be refused."""
    fields = filters.to_fields()
    with local_stack(vcpus=vcpus) as stack:
        nowhere = stack.engine.folder / "no-results-yet"
        photos, out = checked_folders(photos, out if out and out.exists() else nowhere)
        document = {
            "source": str(Location.of_folder(PurePosixPath(photos))),
            "output": str(Location.of_folder(PurePosixPath(out))),
        }
        states = stack.client("stepfunctions")
        return _dry_run(states, stack.state_machine_arn, {**document, **fields}, recipe)


def planned_bucket(
    source: str, stack_name: str, recipe: Recipe, filters: Filters
) -> dict[str, Any]:
    """What a run of a deployed stack would do. Raises UsageError when it would be refused."""
    fields = filters.to_fields(of_bucket=True)
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
        outputs = {item["OutputKey"]: item["OutputValue"] for item in stacks[0]["Outputs"]}
        arn = outputs["StateMachineArn"]
        states = boto3.client("stepfunctions")
        return _dry_run(states, arn, {"source": source, **fields}, recipe)
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f'--stack: "{stack_name}" cannot be asked: {error}.') from None
    except KeyError:
        raise UsageError(f'--stack: "{stack_name}" is no stack of imagemill.') from None


def _dry_run(
    states: Any,
    state_machine_arn: str,
    document: Mapping[str, object],
    recipe: Recipe,
) -> dict[str, Any]:
    request = {**document, "recipe": recipe.to_document(), "dry_run": True}
    execution = start_run(states, state_machine_arn, request)
    follow(execution, lambda: time.sleep(POLL_SECONDS))
    return execution.result()
