"""Commands that tell what runs have done, of a stack or in a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from imagemill.options.groups import with_options
from imagemill.options.machine import Json
from imagemill.options.stack import STACK, StackChoice
from imagemill.signatures.on_a_stack import LatestRun, Reasons

Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FOLDER", help="Look into the results in a folder, not a stack"),
]


@with_options(stack=STACK)
def runs(
    stack: StackChoice,
    out: Out = None,
    sort: Annotated[
        str,
        typer.Option(metavar="WORD", help="By time, images, cost or state; the largest first"),
    ] = "time",
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most the latest N")] = 20,
    as_json: Json = False,
) -> None:
    """List the latest runs.

    Example: imagemill runs --sort cost
    """
    from imagemill.commands.on_stack.runs import runs as list_runs

    list_runs(stack, out, sort=sort, most=limit, as_json=as_json)


@with_options(stack=STACK)
def report(
    stack: StackChoice,
    run: LatestRun = None,
    out: Out = None,
    opens: Annotated[bool, typer.Option("--open", help="Show its page in a browser")] = False,
    as_json: Json = False,
) -> None:
    """Show what became of a run.

    Example: imagemill report --open
    """
    from imagemill.commands.on_stack.report import report as show_report

    show_report(run, stack, out, opens=opens, as_json=as_json)


@with_options(stack=STACK)
def failures(
    stack: StackChoice,
    run: LatestRun = None,
    out: Out = None,
    reason: Reasons = None,
    as_json: Json = False,
) -> None:
    """List every picture that was rejected or failed, and why.

    Example: imagemill failures RUN_ID --reason truncated
    """
    from imagemill.commands.on_stack.failures import failures as list_failures

    list_failures(run, stack, out, reason or [], as_json=as_json)


COMMANDS = (runs, report, failures)
