"""Arguments, Output and Assign of a Parallel state in JSONata, which the emulator leaves out."""

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam

State = dict[str, Any]
OWN_FIELDS = ("Arguments", "Output", "Assign")


def install() -> None:
    seam.wrap(
        states,
        "_run_parallel_branches",
        ["state_def", "raw_input", "execution", "ctx"],
        run_parallel_branches,
    )


def run_parallel_branches(
    original: Callable[..., Any], state: State, given: Any, execution: State, ctx: State
) -> Any:
    if states._state_query_language(state, ctx) != "JSONata":
        return original(state, given, execution, ctx)
    argument = states._apply_jsonata_arguments(state, given, ctx)
    plain = {name: value for name, value in state.items() if name not in OWN_FIELDS}
    results, following = original(plain, argument, execution, ctx)
    output = states._apply_jsonata_output(state, given, ctx, result=results, default=results)
    states._apply_state_assign(state, given, ctx, result=results)
    return output, following
