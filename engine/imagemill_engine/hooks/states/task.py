"""Timeouts, retries and start-up of executions where the emulator differs from AWS."""

import concurrent.futures
import contextvars
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam
from imagemill_engine.hooks.states.scope import Scope, current, entered

Document = dict[str, Any]

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
EXECUTION_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
# States.ALL and States.TaskFailed do not catch these.
TERMINAL_ERRORS = frozenset({"States.DataLimitExceeded", "States.Runtime"})
DEFAULT_BACKOFF_RATE = 2.0


def install() -> None:
    seam.wrap(
        states,
        "_execute_task",
        ["state_def", "raw_input", "execution", "ctx"],
        with_evaluated_timeout,
    )
    seam.replace(
        states,
        "_invoke_resource_with_timeout",
        ["resource", "input_data", "timeout"],
        invoke_with_timeout,
    )
    seam.wrap(
        states,
        "_find_matching_retrier",
        ["retriers", "error", "retry_counts"],
        retrier_with_delay,
    )
    seam.wrap(states, "_error_matches", ["error_equals", "error"], error_matches)
    seam.require_function(states, "_resolve_state_machine_arn", ["arn"])
    seam.wrap(states, "_start_execution", ["data"], start_execution)


def with_evaluated_timeout(
    original: Callable[..., Any], state: Document, given: Any, execution: Document, ctx: Document
) -> Any:
    if isinstance(state.get("TimeoutSeconds"), str):
        seconds = states._jsonata_state_field(state, "TimeoutSeconds", "number", given, ctx)
        state = {**state, "TimeoutSeconds": seconds}
    return original(state, given, execution, ctx)


def invoke_with_timeout(resource: str, arguments: Any, timeout_seconds: float) -> Any:
    """Run a task in a scope of its own, and stop what it started when the time is over."""
    outer = current()
    if outer is None:
        return states._invoke_resource(resource, arguments)
    attempt = Scope(outer.execution, outer.role_arn, parent=outer)

    def invoke() -> Any:
        with entered(attempt):
            return states._invoke_resource(resource, arguments)

    pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    future = pool.submit(contextvars.copy_context().run, invoke)
    pool.shutdown(wait=False)
    try:
        return future.result(timeout_seconds)
    except concurrent.futures.TimeoutError:
        cause = f"The task took longer than {timeout_seconds} seconds"
        attempt.stop(cause)
        raise states._ExecutionError("States.Timeout", cause) from None


def retrier_with_delay(
    original: Callable[..., Any],
    retriers: Sequence[Document],
    error: str,
    retry_counts: dict[int, int],
) -> tuple[Document | None, int]:
    """Adds MaxDelaySeconds and JitterStrategy, by giving back a retrier with the final interval."""
    retrier, index = original(retriers, error, retry_counts)
    if retrier is None:
        return None, index
    rate = float(retrier.get("BackoffRate", DEFAULT_BACKOFF_RATE))
    seconds = float(retrier.get("IntervalSeconds", 1)) * rate ** retry_counts.get(index, 0)
    seconds = min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
    if retrier.get("JitterStrategy") == "FULL":
        seconds = random.uniform(0, seconds)  # noqa: S311 - nothing to guess here
    return {**retrier, "IntervalSeconds": seconds, "BackoffRate": 1.0}, index


def error_matches(original: Callable[..., Any], error_equals: Sequence[str], error: str) -> bool:
    if error in TERMINAL_ERRORS:
        return error in error_equals
    return bool(original(error_equals, error))


def start_execution(original: Callable[..., Any], request: Document) -> Any:
    """The same name and input again, while the execution runs, is the same execution."""
    name = request.get("name")
    if name is not None and not EXECUTION_NAME.fullmatch(name):
        return error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    try:
        json.loads(request.get("input", "{}"))
    except ValueError as error:
        return error_response_json("InvalidExecutionInput", f"Invalid JSON: {error}", 400)
    running = _running_execution(request)
    if running is not None and running["input"] == request.get("input", "{}"):
        return json_response(
            {"executionArn": running["executionArn"], "startDate": running["startDate"]}
        )
    return original(request)


def _running_execution(request: Document) -> Document | None:
    machine_arn = states._resolve_state_machine_arn(request.get("stateMachineArn", ""))
    if machine_arn is None or not request.get("name"):
        return None
    arn = machine_arn.replace(":stateMachine:", ":execution:") + f":{request['name']}"
    execution: Document | None = states._executions.get(arn)
    return execution if execution is not None and execution["status"] == "RUNNING" else None
