"""A run that was just started: waited for until it is planned, then told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from imagemill.deployed.clients import plainly
from imagemill.deployed.documents import planned_run
from imagemill.deployed.files import BucketFiles
from imagemill.deployed.stack import DeployedStack
from imagemill.display.lines import print_json, print_line
from imagemill.display.plan import forecast
from imagemill.execution import Execution

POLL_SECONDS = 0.25


def show_start(stack: DeployedStack, execution: Execution, *, as_json: bool) -> None:
    """Wait until a run is planned, and print what it is going to do.

    Raises UsageError if it is refused, RunFailedError if it cannot be planned.
    """
    planned = planned_or_ended(stack, execution)
    if as_json:
        names = {"run_id": execution.run_id, "execution_arn": execution.arn}
        print_json({**names, "planned": planned})
    else:
        print_started(execution.run_id, planned)


def planned_or_ended(stack: DeployedStack, execution: Execution) -> dict[str, Any] | None:
    """The plan in numbers, as soon as there is one. Raises what the run was refused with."""
    files, console = BucketFiles(stack.client("s3"), stack.output_bucket), Console(stderr=True)
    try:
        with console.status(f"{execution.run_id} is being planned"):
            while True:
                with plainly():
                    is_running = execution.is_running()
                planned = planned_run(files, execution.run_id)
                if planned or not is_running:
                    break
                time.sleep(POLL_SECONDS)
    except (KeyboardInterrupt, SystemExit):
        print_line(
            console,
            f"{execution.run_id} was started and goes on. To stop it: "
            f"imagemill cancel {execution.run_id}",
        )
        raise
    if planned is None:
        with plainly():
            execution.result()  # raises why there is no plan
    return planned


def print_started(run_id: str, planned: Mapping[str, Any] | None) -> None:
    """Print what a started run is going to do, and what to type next."""
    console = Console()
    print_line(console, f"{run_id} is started.")
    if planned:
        print_line(console, forecast(planned))
    print_line(console, f"watch it:  imagemill status {run_id} --watch")
    print_line(console, f"stop it:   imagemill cancel {run_id}")
