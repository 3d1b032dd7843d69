"""Starts the run of a window; every further start of it is a no-op."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from imagemill_app.ingest.inbox import start_input
from imagemill_contract.requests.windows import Window


def start_window_run(
    step_functions: Any, state_machine_arn: str, window: Window, closes: datetime
) -> bool:
    """Start the run of a window, and return whether it is running, by this or an earlier start.

    False means that it has ended; its name cannot be used again.
    """
    try:
        step_functions.start_execution(
            stateMachineArn=state_machine_arn,
            name=window.run_id,
            input=start_input(window, closes),
        )
    except step_functions.exceptions.ExecutionAlreadyExists:
        arn = state_machine_arn.replace(":stateMachine:", ":execution:") + f":{window.run_id}"
        status = step_functions.describe_execution(executionArn=arn)["status"]
        return bool(status == "RUNNING")
    return True
