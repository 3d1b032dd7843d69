"""`imagemill start`: starts a run of a deployed stack, and waits until it is planned."""

from __future__ import annotations

from collections.abc import Mapping

from imagemill.deployed.clients import plainly
from imagemill.deployed.stack import usable_stack
from imagemill.display.started import show_start
from imagemill.execution import start_run
from imagemill.options.filters import Filters
from imagemill.options.stack import StackChoice
from imagemill.run_request import bucket_request
from imagemill_contract.recipe import Recipe


def start(
    source: str,
    choice: StackChoice,
    recipe: Recipe,
    filters: Filters,
    *,
    more: Mapping[str, object],
    as_json: bool,
) -> None:
    """Start a run, with `more` fields in its request, and say what it is going to do.

    Raises UsageError if it is refused, also if that shows only when it is planned.
    """
    request = bucket_request(source, recipe, {**filters.to_fields(of_bucket=True), **more})
    stack = usable_stack(choice)
    with plainly():
        execution = start_run(stack.client("stepfunctions"), stack.state_machine_arn, request)
    show_start(stack, execution, as_json=as_json)
