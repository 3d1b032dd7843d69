"""The history of an execution: a consistent order, the names of AWS, and the limit of payloads."""

import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam

Execution = dict[str, Any]

MAX_PAYLOAD_BYTES = 262_144  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas

_lock = threading.Lock()


def install() -> None:
    seam.wrap(states, "_add_event", ["execution", "event_type", "details"], add_event)


def note_state(execution: Execution, event: str, name: str, direction: str, payload: Any) -> None:
    text = json.dumps(payload)
    details = "stateEnteredEventDetails" if direction == "input" else "stateExitedEventDetails"
    states._add_event(execution, event, {details: {"name": name, direction: text}})
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise states._ExecutionError(
            "States.DataLimitExceeded",
            f"The {direction} of the state '{name}' is larger than {MAX_PAYLOAD_BYTES} bytes",
        )


def add_event(
    original: Callable[..., Any], execution: Execution, event_type: str, details: Any = None
) -> Any:
    """Threads of one execution write here: without the lock, two events get one id."""
    named = {name: _with_service(about) for name, about in (details or {}).items()}
    with _lock:
        event = original(execution, event_type, named)
        event["previousEventId"] = event["id"] - 1
    return event


def _with_service(details: dict[str, Any]) -> dict[str, Any]:
    """Of a task: `batch` and `submitJob.sync`, where the emulator has the whole ARN."""
    service, _, action = str(details.get("resource", "")).rpartition(":::")[2].partition(":")
    if not action:
        return details
    return {**details, "resourceType": service, "resource": action}
