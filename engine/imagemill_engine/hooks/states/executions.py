"""On whose behalf a task runs: its execution, the role of its machine, and whether it is stopped.

The emulator's integrations get the arguments of a task and nothing else.
"""

from __future__ import annotations

from contextvars import ContextVar

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function

# The emulator copies the context into the thread of a task that has a timeout.
_current: ContextVar[Document] = ContextVar("execution")


class ExecutionStopped(SystemExit):
    """Ends the thread of a stopped execution.

    A SystemExit, because the emulator takes every Exception for a failed state, and because a
    thread ends by it in silence.
    """


def install() -> None:
    """Remember the execution of each task."""
    for table in ("_executions", "_map_runs", "_state_machines"):
        patching.require(states, table)
    patching.wrap(
        states, "_execute_task", ["state_def", "raw_input", "execution", "ctx"], execute_task
    )


def execute_task(
    original: Function, state: Document, given: object, execution: Document, context: Document
) -> object:
    """Run a Task state; `current_execution` is its execution meanwhile."""
    token = _current.set(execution)
    try:
        return original(state, given, execution, context)
    finally:
        _current.reset(token)


def current_execution() -> Document:
    """The execution whose task runs in this thread."""
    return _current.get()


def role_arn_of(machine_arn: str) -> str:
    """The role of a state machine; the executions of a Map run have that of their parent."""
    machine = states._state_machines[machine_arn.partition("/")[0]]
    return str(machine["roleArn"])


def parent_of(execution: Document) -> Document:
    """The execution whose Map has started this one; for any other execution, itself."""
    map_run = states._map_runs.get(execution.get("mapRunArn"))
    parent: Document = states._executions[map_run["executionArn"]] if map_run else execution
    return parent


def is_stopped(execution: Document) -> bool:
    """Whether an execution, or its parent, was ended by StopExecution."""
    return "ABORTED" in (execution["status"], parent_of(execution)["status"])
