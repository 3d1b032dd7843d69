"""`imagemill plan`: what a run would do, take and cost, before anything runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imagemill.commands.run import checked_folders
from imagemill.errors import UsageError
from imagemill.execution import follow, start_run
from imagemill.local_stack import local_stack
from imagemill.options import Filters
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


def print_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """The plan as a person reads it."""
    forecast = plan["estimate"]
    table = Table(
        show_header=False, title=f"plan of {escape(plan['source'])}", title_justify="left"
    )
    table.add_row("objects", f"{plan['objects']:,}")
    table.add_row("bytes", f"{plan['bytes']:,}")
    table.add_row("shards", f"{plan['shards']:,}")
    table.add_row("parallel jobs", f"{forecast['parallel_jobs']:,}")
    table.add_row("estimated minutes", f"{forecast['minutes']:,.1f}")
    for kind, dollars in forecast["dollars"].items():
        table.add_row(f"estimated USD, {kind}", f"{dollars:.4f}")
    table.add_row("estimated USD, in all", f"{forecast['total_dollars']:.4f}")
    console.print(table)
    for reason, count in plan["to_do"].items():
        console.print(f"to do: {count:,} {reason}", highlight=False, markup=False)
    for reason, count in {**plan["done"], **plan["ignored"]}.items():
        console.print(f"left out: {count:,} {reason}", highlight=False, markup=False)
    if plan["refused"]:
        console.print(f"refused: {plan['refused']:,} that no job can be given", highlight=False)
    if plan["deleted"]:
        console.print(f"deleted at the source since: {plan['deleted']:,}", highlight=False)


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


def plan_text(plan: Mapping[str, Any]) -> str:
    """The plan as a machine reads it."""
    return json.dumps(plan, indent=2, ensure_ascii=False)
