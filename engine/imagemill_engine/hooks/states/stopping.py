"""StopExecution ends the jobs that an execution waits for, and lets no further state run.

The emulator marks the execution as aborted, while its Map and its tasks go on.
"""

from __future__ import annotations

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import patching
from imagemill_engine.hooks.states.executions import ExecutionStopped, is_stopped
from imagemill_engine.hooks.states.job_waits import JobWaits
from imagemill_engine.shapes import Document, Function, Response


def install(waits: JobWaits) -> None:
    """Stop at the next event of the history: every state and every task writes some."""

    def stop_execution(original: Function, request: Document) -> Response:
        response: Response = original(request)
        execution = states._executions.get(request.get("executionArn"))
        if execution is not None and is_stopped(execution):
            waits.end(execution, request.get("cause") or "The execution was stopped")
        return response

    patching.wrap(states, "_stop_execution", ["data"], stop_execution)
    patching.wrap(states, "_add_event", ["execution", "event_type", "details"], add_event)


def add_event(
    original: Function, execution: Document, event_type: str, details: Document | None = None
) -> object:
    """Write to the history. Raises ExecutionStopped when the execution has been stopped."""
    if is_stopped(execution) and event_type != "ExecutionAborted":
        raise ExecutionStopped
    return original(execution, event_type, details)
