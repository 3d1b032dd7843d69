"""Events of a state machine name the execution and its state machine, as on AWS."""

from __future__ import annotations

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import patching
from imagemill_engine.hooks.states.executions import current_execution
from imagemill_engine.shapes import Document, Function


def install() -> None:
    """Add both ARNs to the resources of each event."""
    table = patching.require_table(states, "_SERVICE_DISPATCH")
    name = "arn:aws:states:::events:putEvents"
    original = table[name]
    table[name] = lambda resource, arguments: put_events(original, resource, arguments)


def put_events(original: Function, resource: str, arguments: Document) -> object:
    """Send the events of a task, each with the ARNs of its execution and state machine."""
    execution = current_execution()
    arns = [execution["executionArn"], execution["stateMachineArn"]]
    entries = [
        {**entry, "Resources": [*entry.get("Resources", ()), *arns]}
        for entry in arguments["Entries"]
    ]
    return original(resource, {**arguments, "Entries": entries})
