"""The Output of a Succeed state in JSONata, which the emulator leaves out."""

from __future__ import annotations

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function


def install() -> None:
    """Evaluate it where the emulator applies the OutputPath of JSONPath."""
    patching.require_function(states, "_state_query_language", ["state_def", "ctx"])
    patching.require_function(
        states,
        "_apply_jsonata_output",
        ["state_def", "raw_input", "ctx", "result", "error_output", "default"],
    )
    patching.wrap(states, "_apply_output_path", ["state_def", "data", "ctx"], output_of)


def output_of(
    original: Function, state: Document, given: object, context: Document | None = None
) -> object:
    """What a state gives on: of a Succeed state in JSONata, its Output."""
    if state["Type"] == "Succeed" and states._state_query_language(state, context) == "JSONata":
        return states._apply_jsonata_output(state, given, context, default=given)
    return original(state, given, context)
