"""`imagemill plan`: what a run would do and cost, before anything runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from imagemill.deployed.clients import plainly
from imagemill.deployed.stack import usable_stack
from imagemill.display.lines import print_line
from imagemill.execution import PLAN, follow, new_run_id, start_run
from imagemill.folders import check_has_pictures, checked_folders
from imagemill.local_stack import local_stack
from imagemill.options.filters import Filters
from imagemill.options.stack import StackChoice
from imagemill.run_request import bucket_request, folder_request
from imagemill_contract.recipe import Recipe

POLL_SECONDS = 0.03


def planned_folder(
    photos: str,
    out: str | None,
    recipe: Recipe,
    filters: Filters,
    *,
    more: Mapping[str, object],
    vcpus: int | None,
) -> dict[str, Any]:
    """What a run over a folder, with `more` fields in its request, would do.

    Raises UsageError if it would be refused.
    """
    fields = {**filters.to_fields(), **more, "dry_run": True}
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
    source: str,
    choice: StackChoice,
    recipe: Recipe,
    filters: Filters,
    *,
    more: Mapping[str, object],
) -> dict[str, Any]:
    """What a run of a deployed stack would do. Raises UsageError if it would be refused."""
    fields = {**filters.to_fields(of_bucket=True), **more, "dry_run": True}
    request = bucket_request(source, recipe, fields)
    stack = usable_stack(choice)
    with plainly():
        return _dry_run(stack.client("stepfunctions"), stack.state_machine_arn, request)


def _dry_run(states: Any, state_machine_arn: str, request: Mapping[str, object]) -> dict[str, Any]:
    try:
        execution = start_run(states, state_machine_arn, request, new_run_id(PLAN))
        follow(execution, lambda: time.sleep(POLL_SECONDS))
    except (KeyboardInterrupt, SystemExit):
        print_line(Console(stderr=True), "Stopped. A plan writes nothing, so nothing is left.")
        raise
    return execution.result()
