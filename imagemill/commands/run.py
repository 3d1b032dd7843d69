"""`imagemill run`: takes a folder of pictures, in place, through the whole pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from imagemill.deployed.job_logs import JobLogs
from imagemill.display.lines import print_json
from imagemill.display.progress import RunProgress, display_on
from imagemill.display.summary import print_places, print_stopped, print_summary
from imagemill.errors import RunFailedError
from imagemill.execution import Execution, follow, start_run, wait_for
from imagemill.folders import check_has_pictures, checked_folders, make_writable
from imagemill.local_stack import LocalStack, local_stack
from imagemill.output_lock import Lock, output_lock
from imagemill.run_request import folder_request
from imagemill_contract.keys import plan_key, report_key, stages_of
from imagemill_contract.recipe import Recipe

# A look at the log takes some milliseconds of a processor that has pictures to do.
POLL_SECONDS, POLL_SECONDS_OF_LINES = 0.25, 1.0
# Nobody uploads to the stack of one run; its queue has but S3's test event, which can wait.
NO_UPLOADS: Mapping[str, str] = {"BatchingWindowSeconds": "300"}


def run_folder(
    photos: str,
    out: str,
    recipe: Recipe,
    fields: Mapping[str, object],
    *,
    vcpus: int | None,
    as_json: bool = False,
) -> None:
    """Process `photos` into `out` on the embedded engine; the request also gets `fields`.

    Prints the summary, or the report for a program; progress then goes to standard error.

    Raises:
        UsageError: The run was refused; nothing was processed.
        RunFailedError: It did not succeed.
        EngineLostError: The engine died.
    """
    folders = checked_folders(photos, out)
    request = folder_request(folders, recipe, fields)
    if "manifest" not in fields:
        check_has_pictures(folders.photos)
    make_writable(folders.out)
    started, console = time.monotonic(), Console(stderr=as_json)
    progress = RunProgress(in_order=stages_of(recipe))
    try:
        with (
            output_lock(folders.out) as lock,
            local_stack(vcpus=vcpus, parameters=NO_UPLOADS) as stack,
        ):
            request["alone"] = lock is Lock.HELD
            execution = start_run(stack.client("stepfunctions"), stack.state_machine_arn, request)
            failure = _end_of(stack, execution, folders.out, progress, console)
    except (KeyboardInterrupt, SystemExit):
        print_stopped(Console(stderr=True), progress)
        raise
    report_path = folders.out / report_key(execution.run_id)
    if report_path.exists():
        report = json.loads(report_path.read_text(encoding="utf-8"))
        if as_json:
            print_json(report)
        else:
            print_summary(console, report, time.monotonic() - started)
            print_places(console, folders.out, execution.run_id)
    if failure:
        raise failure


def _end_of(
    stack: LocalStack, execution: Execution, out: Path, progress: RunProgress, console: Console
) -> RunFailedError | None:
    """Watch a run until it ends, and return its error if it failed; stop it if interrupted."""
    try:
        _watch(stack, execution, out, progress, console)
        execution.result()
    except RunFailedError as error:
        return error
    except (KeyboardInterrupt, SystemExit):
        execution.stop("The run was stopped at the terminal.")
        raise
    return None


def _watch(
    stack: LocalStack, execution: Execution, out: Path, progress: RunProgress, console: Console
) -> None:
    started_ms = int(time.time() * 1000)
    logs = JobLogs(stack.client("logs"), stack.worker_log_group, execution.run_id, started_ms)
    plan, report = out / plan_key(execution.run_id), out / report_key(execution.run_id)
    seconds = POLL_SECONDS if console.is_terminal else POLL_SECONDS_OF_LINES

    with display_on(console) as display:
        display.show(progress)

        def tick() -> None:
            wait_for(report, seconds)  # it is the last thing that a run writes
            stack.engine.check()
            if plan.exists():
                progress.stages = logs.read()
                progress.planned = planned_objects(plan.read_bytes())
                display.show(progress)

        follow(execution, tick)


def planned_objects(plan: bytes) -> int | None:
    """Objects in a plan; None while it is still being written."""
    try:
        items: list[dict[str, int]] = json.loads(plan)
    except ValueError:
        return None
    return sum(item["objects"] for item in items)
