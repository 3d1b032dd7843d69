"""The command line: its commands and their options.

Each command imports what it needs when it is called, so that help is shown at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

import imagemill
from imagemill.errors import ExitCode, ToolError, UsageError
from imagemill.options.filters import FILTERS, Filters
from imagemill.options.groups import with_options
from imagemill.options.machine import Port, Vcpus
from imagemill.options.recipe import RECIPE
from imagemill.paths import escaped
from imagemill.signals import terminate_as_exit
from imagemill_contract.recipe import Recipe
from imagemill_engine.errors import LocalError

app = typer.Typer(
    name="imagemill",
    help="Turns a bucket of images into training-ready data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Results = Annotated[
    str, typer.Argument(metavar="OUT", help="Folder or s3://bucket/ with the results of runs")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imagemill {imagemill.__version__}")
        raise typer.Exit


@app.callback()
def options_of_all(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Turns a bucket of images into training-ready data."""


@app.command()
@with_options(recipe=RECIPE, filters=FILTERS)
def run(
    photos: Annotated[str, typer.Argument(metavar="PHOTOS", help="Folder of pictures")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder for the results")],
    recipe: Recipe,
    filters: Filters,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the results of deleted pictures")
    ] = False,
    vcpus: Vcpus = None,
) -> None:
    """Process a folder of pictures on this machine.

    Resizes every picture and finds its edges, as the recipe says. Needs no AWS account.
    """
    from rich.console import Console

    from imagemill.commands.run import run_folder

    fields = {**filters.to_fields(), **({"prune": True} if prune else {})}
    run_folder(photos, out, recipe, fields, vcpus=vcpus, console=Console())


@app.command()
@with_options(recipe=RECIPE, filters=FILTERS)
def plan(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, or s3://bucket/prefix/")],
    recipe: Recipe,
    filters: Filters,
    out: Annotated[
        str | None,
        typer.Argument(metavar="[OUT]", help="Folder with earlier results, which are left out"),
    ] = None,
    stack: Annotated[
        str, typer.Option(metavar="NAME", help="Stack that plans s3://")
    ] = "imagemill",
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON")] = False,
    vcpus: Vcpus = None,
) -> None:
    """Show what a run would do, how long it would take and what it would cost.

    Runs nothing and writes nothing.
    """
    from rich.console import Console

    from imagemill.commands.plan import planned_bucket, planned_folder
    from imagemill.display.plan import plan_text, print_plan

    if source.startswith("s3://"):
        if out is not None:
            raise UsageError("OUT: is only for folders; a stack knows what is in its own bucket.")
        shown = planned_bucket(source, stack, recipe, filters)
    else:
        shown = planned_folder(source, out, recipe, filters, vcpus=vcpus)
    if as_json:
        typer.echo(plan_text(shown))
    else:
        print_plan(Console(), shown)


@app.command()
def verify(
    out: Results,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Remove damaged shards and what runs that were stopped have left"
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Repair although a run is open, and forget what it has done"),
    ] = False,
) -> None:
    """Check every sample of a packed dataset, and repair it.

    Reads all dataset shards back and compares them with the index. The next run does the pictures
    of damaged shards again.
    """
    from rich.console import Console

    from imagemill.commands.verify import verify_dataset

    verify_dataset(out, console=Console(), repair=repair, force=force)


@app.command()
def compact(out: Results) -> None:
    """Remove superseded samples from a dataset.

    Rewrites the dataset shards that hold any, and merges small ones. Refuses to begin while a run
    or another compaction is going on.
    """
    from rich.console import Console

    from imagemill.commands.compact import compact_dataset

    compact_dataset(out, console=Console())


@app.command()
def up(port: Port = None, vcpus: Vcpus = None) -> None:
    """Run the stack on this machine for any AWS client, until Ctrl-C."""
    from rich.console import Console

    from imagemill.commands.up import serve

    serve(port=port, vcpus=vcpus, console=Console())


def main() -> None:
    """Run the command line and exit with a code of `ExitCode`."""
    terminate_as_exit()
    try:
        app()
    except ToolError as error:
        _end(str(error), error.exit_code)
    except LocalError as error:
        _end(str(error), ExitCode.FAILED)
    except OSError as error:  # a full disk, a folder that went away
        place = f'"{escaped(str(error.filename))}": ' if error.filename else ""
        _end(f"{place}{error.strerror or error}.", ExitCode.FAILED)


def _end(sentence: str, code: ExitCode) -> NoReturn:
    typer.echo(f"imagemill: {sentence}", err=True)
    sys.exit(code)
