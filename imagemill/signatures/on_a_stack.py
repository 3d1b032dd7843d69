"""Commands that start, watch and end runs of a deployed stack."""

from __future__ import annotations

from typing import Annotated

import typer

from imagemill.options.filters import FILTERS, Filters
from imagemill.options.groups import with_options
from imagemill.options.machine import Json
from imagemill.options.recipe import RECIPE
from imagemill.options.stack import STACK, MaxCost, StackChoice, budget
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run")]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REASON",
        help="Only those of this reason, such as truncated; repeatable",
        autocompletion=lambda: [str(reason) for reason in Reason],
    ),
]
LatestRun = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="Name of the run (default: the latest)")
]


@with_options(recipe=RECIPE, filters=FILTERS, stack=STACK)
def start(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="s3://bucket/prefix/")],
    recipe: Recipe,
    filters: Filters,
    stack: StackChoice,
    max_cost: MaxCost = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the results of deleted pictures")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start a run over the pictures in a bucket.

    Waits until the run is planned, says what it is going to do, and leaves it running.

    Example: imagemill start s3://INPUT_BUCKET/full/ --size 256
    """
    from imagemill.commands.on_stack.start import start as start_on_stack

    more = {**budget(max_cost), **({"prune": True} if prune else {})}
    start_on_stack(source, stack, recipe, filters, more=more, as_json=as_json)


@with_options(stack=STACK)
def status(
    stack: StackChoice,
    run: LatestRun = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it until it ends")] = False,
    as_json: Json = False,
) -> None:
    """Show how far a run is.

    Says how many pictures are done, how fast, how long it will take and what its jobs do. With
    --watch it ends with the run, with code 1 if the run does not succeed; Ctrl-C ends only the
    watching.

    Example: imagemill status --watch
    """
    from imagemill.commands.on_stack.status import status as status_on_stack

    status_on_stack(run, stack, watch=watch, as_json=as_json)


@with_options(stack=STACK)
def retry(
    run: RunId,
    stack: StackChoice,
    reason: Reasons = None,
    max_cost: MaxCost = None,
    as_json: Json = False,
) -> None:
    """Start a run of only what another has rejected or failed.

    With the same recipe. It takes the pictures as they are now, also those that are unchanged.

    Example: imagemill retry RUN_ID --reason truncated
    """
    from imagemill.commands.on_stack.retry import retry as retry_on_stack

    retry_on_stack(run, stack, reason or [], more=budget(max_cost), as_json=as_json)


@with_options(stack=STACK)
def cancel(run: RunId, stack: StackChoice, as_json: Json = False) -> None:
    """Stop a run and end its jobs, so that nothing keeps costing.

    What is done stays: the next run over the same source takes it over.

    Example: imagemill cancel RUN_ID
    """
    from imagemill.commands.on_stack.cancel import cancel as cancel_on_stack

    cancel_on_stack(run, stack, as_json=as_json)


@with_options(stack=STACK)
def doctor(stack: StackChoice, as_json: Json = False) -> None:
    """Say why nothing is running, and what to do about it.

    Looks at the stack, the worker image, the compute environment, the queue, the vCPU limit, the
    network, the last jobs, uploads and the dead-letter queue. Ends with code 1 if one is broken.

    Example: imagemill doctor
    """
    from imagemill.commands.on_stack.doctor import doctor as examine_stack

    examine_stack(stack, as_json=as_json)


COMMANDS = (start, status, retry, cancel, doctor)
