"""`imagemill run`: takes a folder of pictures, in place, through the whole pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from imagemill.display.progress import BarDisplay, LineDisplay, display_on
from imagemill.display.summary import print_summary
from imagemill.errors import RunFailedError
from imagemill.execution import Execution, follow, start_run
from imagemill.folders import checked_folders
from imagemill.job_logs import JobLogs
from imagemill.local_stack import LocalStack, local_stack
from imagemill.run_request import folder_request
from imagemill_contract.keys import plan_key, report_key
from imagemill_contract.recipe import Recipe

POLL_SECONDS = 0.25


def run_folder(
    photos: Path,
    out: Path,
    recipe: Recipe,
    fields: Mapping[str, object],
    *,
    vcpus: int | None,
    console: Console,
) -> None:
    """Process `photos` into `out` on the embedded engine; the request also gets `fields`.

    Raises:
        UsageError: The run was refused; nothing was processed.
        RunFailedError: It did not succeed.
    """
    photos, out = checked_folders(photos, out)
    request = folder_request(photos, out, recipe, fields)
    started = time.monotonic()
    with local_stack(vcpus=vcpus) as stack:
        execution = start_run(stack.client("stepfunctions"), stack.state_machine_arn, request)
        try:
            _watch(stack, execution, out, console)
            failure = _failure_of(execution)
        except (KeyboardInterrupt, SystemExit):
            execution.stop("The person at the terminal ended the run.")
            raise
    report_path = out / report_key(execution.run_id)
    if report_path.exists():
        report = json.loads(report_path.read_text(encoding="utf-8"))
        print_summary(console, report, time.monotonic() - started)
        console.print(f"report: {report_path}", highlight=False, soft_wrap=True)
    if failure:
        raise failure


def _failure_of(execution: Execution) -> RunFailedError | None:
    try:
        execution.result()
    except RunFailedError as error:
        return error
    return None


def _watch(stack: LocalStack, execution: Execution, out: Path, console: Console) -> None:
    started_ms = int(time.time() * 1000)
    logs = JobLogs(stack.client("logs"), stack.worker_log_group, execution.run_id, started_ms)
    plan = out / plan_key(execution.run_id)

    with display_on(console) as display:

        def tick() -> None:
            time.sleep(POLL_SECONDS)
            stack.engine.check()
            _show(display, logs, plan)

        follow(execution, tick)


def _show(display: BarDisplay | LineDisplay, logs: JobLogs, plan: Path) -> None:
    if plan.exists():
        display.show(logs.read(), planned_objects(plan.read_bytes()))


def planned_objects(plan: bytes) -> int | None:
    """Objects in a plan; None while it is still being written."""
    try:
        items: list[dict[str, int]] = json.loads(plan)
    except ValueError:
        return None
    return sum(item["objects"] for item in items)
