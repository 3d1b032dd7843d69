"""Runs the states of an execution, its branches and its children.

Differs from the emulator's own loop in what AWS does: a Succeed state has an Output, a state
machine has a TimeoutSeconds, a stopped execution runs no further state, and the history tells of
the states inside a Map or a Parallel as well.
"""

import copy
import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam
from imagemill_engine.hooks.states.history import note_state
from imagemill_engine.hooks.states.scope import ExecutionStopped, Scope, current, entered

logger = logging.getLogger(__name__)

State = dict[str, Any]
Execution = dict[str, Any]
Context = dict[str, Any]

RUNNING = "RUNNING"

# Kept while an execution runs; by ARN.
scopes: dict[str, Scope] = {}

_STATE_PARAMETERS = ("state_def", "raw_input", "execution", "ctx")
_PLAIN_PARAMETERS = ("state_def", "raw_input", "ctx")
_WITH_EXECUTION = {
    "Task": "_execute_task",
    "Parallel": "_execute_parallel",
    "Map": "_execute_map",
}
_WITHOUT_EXECUTION = {
    "Pass": "_execute_pass",
    "Choice": "_execute_choice",
    "Wait": "_execute_wait",
}


def install() -> None:
    for name in _WITH_EXECUTION.values():
        seam.require_function(states, name, _STATE_PARAMETERS)
    for name in _WITHOUT_EXECUTION.values():
        seam.require_function(states, name, _PLAIN_PARAMETERS)
    seam.require_function(states, "_fail_state_error", _PLAIN_PARAMETERS)
    seam.replace(states, "_run_execution", ["exec_arn"], run_execution)
    seam.replace(
        states,
        "_run_sub_machine",
        ["states", "start_at", "input_data", "execution", "ctx"],
        run_states,
    )
    seam.wrap(states, "_stop_execution", ["data"], stop_execution)
    seam.replace(states, "_scaled_sleep", ["seconds"], interruptible_sleep)


def run_execution(arn: str) -> None:
    """The body of an execution's thread."""
    execution: Execution | None = states._executions.get(arn)
    machine = states._state_machines.get((execution or {}).get("stateMachineArn", ""))
    if execution is None or machine is None:
        return
    scope = Scope(execution, machine["roleArn"])
    scopes[arn] = scope
    try:
        with entered(scope):
            _run_to_the_end(execution, machine)
    except ExecutionStopped:
        pass  # its status was written by whoever stopped it
    finally:
        scopes.pop(arn, None)


def _run_to_the_end(execution: Execution, machine: Mapping[str, Any]) -> None:
    definition = json.loads(machine["definition"])
    given = json.loads(execution["input"])
    language = definition.get("QueryLanguage", "JSONPath")
    ctx = context_of(execution, machine["name"], machine["roleArn"], given, language)
    timer = _timer(execution, definition.get("TimeoutSeconds"))

    def run() -> Any:
        return run_states(definition["States"], definition["StartAt"], given, execution, ctx)

    try:
        finish(execution, run)
    finally:
        timer.cancel()


def finish(execution: Execution, run: Callable[[], Any]) -> None:
    """Run an execution and write how it ended."""
    try:
        details = {"output": json.dumps(run())}
        status = "SUCCEEDED"
    except states._ExecutionError as error:
        details = {"error": error.error, "cause": error.cause}
        status = "FAILED"
    except Exception as error:
        logger.exception("Execution %s", execution["executionArn"])
        details = {"error": "States.Runtime", "cause": str(error)}
        status = "FAILED"
    _close(execution, status, details)


def _close(execution: Execution, status: str, details: dict[str, Any]) -> None:
    if execution["status"] != RUNNING:
        return
    execution.update(status=status, stopDate=states.now_iso(), **details)
    kind = "TimedOut" if status == "TIMED_OUT" else status.title()
    states._add_event(
        execution, f"Execution{kind}", {f"execution{kind}EventDetails": dict(details)}
    )
    if "mapRunArn" not in execution:
        states._emit_execution_status_event(execution)


def _timer(execution: Execution, seconds: float | None) -> threading.Timer:
    def time_out() -> None:
        cause = f"The execution ran for longer than {seconds} seconds"
        _close(execution, "TIMED_OUT", {"error": "States.Timeout", "cause": cause})
        stop_scope(execution, cause)

    timer = threading.Timer(seconds or 0, time_out)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    return timer


def context_of(
    execution: Execution, machine_name: str, role_arn: str, given: Any, query_language: str
) -> Context:
    """The context object of an execution, with what the emulator keeps in it besides."""
    return {
        "QueryLanguage": query_language,
        "Execution": {
            "Id": execution["executionArn"],
            "Input": given,
            "Name": execution["name"],
            "RoleArn": role_arn,
            "StartTime": execution["startDate"],
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine_name},
        "variables": {},
    }


def run_states(
    definitions: Mapping[str, State],
    start_at: str,
    given: Any,
    execution: Execution,
    ctx: Context,
) -> Any:
    """Walk from a state to the end of its machine, branch or iteration; returns the output."""
    name: str | None = start_at
    payload = copy.deepcopy(given)
    while name is not None:
        state = definitions.get(name)
        if state is None:
            raise states._ExecutionError("States.Runtime", f"State '{name}' is not defined")
        _check_scope(execution)
        ctx["State"] = {"Name": name, "EnteredTime": states.now_iso(), "RetryCount": 0}
        note_state(execution, f"{state['Type']}StateEntered", name, "input", payload)
        payload, following = _run_state(state, payload, execution, ctx)
        note_state(execution, f"{state['Type']}StateExited", name, "output", payload)
        name = following
    _check_scope(execution)
    return payload


def _check_scope(execution: Execution) -> None:
    scope = current()
    if scope is not None:
        scope.check()
    if execution["status"] != RUNNING:
        raise ExecutionStopped


def _run_state(
    state: State, payload: Any, execution: Execution, ctx: Context
) -> tuple[Any, str | None]:
    kind = state["Type"]
    if kind == "Fail":
        raise states._ExecutionError(*states._fail_state_error(state, payload, ctx))
    if kind == "Succeed":
        return _succeeded(state, payload, ctx), None
    if kind in _WITH_EXECUTION:
        handler = getattr(states, _WITH_EXECUTION[kind])
        result: tuple[Any, str | None] = handler(state, payload, execution, ctx)
    elif kind in _WITHOUT_EXECUTION:
        result = getattr(states, _WITHOUT_EXECUTION[kind])(state, payload, ctx)
    else:
        raise states._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
    return result


def _succeeded(state: State, payload: Any, ctx: Context) -> Any:
    if states._state_query_language(state, ctx) == "JSONata":
        return states._apply_jsonata_output(state, payload, ctx, default=payload)
    effective = states._apply_input_path(state, payload, ctx)
    return states._apply_output_path(state, effective, ctx)


def interruptible_sleep(seconds: float) -> None:
    scope = current()
    scaled = seconds * states._SFN_WAIT_SCALE
    if scope is not None:
        scope.sleep(scaled)
    elif scaled > 0:
        threading.Event().wait(scaled)


def stop_execution(original: Callable[..., Any], request: dict[str, Any]) -> Any:
    """Stops the children and the jobs with the execution."""
    response = original(request)
    execution = states._executions.get(request.get("executionArn"))
    if response[0] == 200 and execution is not None:
        stop_scope(execution, request.get("cause") or "The execution was stopped")
    return response


def stop_child(child: Execution) -> None:
    """Write the end of a child whose Map run or parent was stopped."""
    _close(child, "ABORTED", {})


def stop_scope(execution: Execution, reason: str) -> None:
    scope = scopes.get(execution["executionArn"])
    if scope is not None:
        scope.stop(reason)
