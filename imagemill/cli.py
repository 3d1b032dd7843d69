"""The command line: its commands and their options.

Each command imports what it needs when it is called, so that help is shown at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import imagemill
from imagemill.errors import RunFailedError, UsageError
from imagemill.options.filters import FILTERS, Filters
from imagemill.options.groups import with_options
from imagemill.options.machine import Port, Vcpus
from imagemill.options.recipe import RECIPE
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
    str, typer.Argument(metavar="OUT", help="Folder of results, or s3://bucket/ of them")
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

    Every picture is resized and its edges are found, as the recipe says, without AWS.
    """
    from rich.console import Console

    from imagemill.commands.run import run_folder

    fields = {**filters.to_fields(), **({"prune": True} if prune else {})}
    run_folder(Path(photos), Path(out), recipe, fields, vcpus=vcpus, console=Console())


@app.command()
@with_options(recipe=RECIPE, filters=FILTERS)
def plan(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, or s3://bucket/prefix/")],
    recipe: Recipe,
    filters: Filters,
    out: Annotated[
        str | None,
        typer.Argument(metavar="[OUT]", help="Folder of earlier results, whose work is left out"),
    ] = None,
    stack: Annotated[str, typer.Option(help="Stack that plans s3://")] = "imagemill",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
    vcpus: Vcpus = None,
) -> None:
    """Show what a run would do, take and cost.

    Nothing is run, and nothing is written.
    """
    from rich.console import Console

    from imagemill.commands.plan import planned_bucket, planned_folder
    from imagemill.display.plan import plan_text, print_plan

    if source.startswith("s3://"):
        shown = planned_bucket(source, stack, recipe, filters)
    else:
        earlier = Path(out) if out is not None else None
        shown = planned_folder(Path(source), earlier, recipe, filters, vcpus=vcpus)
    if as_json:
        typer.echo(plan_text(shown))
    else:
        print_plan(Console(), shown)


@app.command()
def verify(out: Results) -> None:
    """Check every sample of a packed dataset.

    All dataset shards are read back and compared with the index.
    """
    from rich.console import Console

    from imagemill.commands.verify import verify_dataset

    verify_dataset(out, console=Console())


@app.command()
def compact(out: Results) -> None:
    """Remove superseded samples from a dataset.

    Dataset shards that hold some, or that are small, are rewritten. Not while a run is on.
    """
    from rich.console import Console

    from imagemill.commands.compact import compact_dataset

    compact_dataset(out, console=Console())


@app.command()
def up(port: Port = None, vcpus: Vcpus = None) -> None:
    """Serve the stack on this machine to AWS clients."""
    from rich.console import Console

    from imagemill.commands.up import serve

    serve(port=port, vcpus=vcpus, console=Console())


def main() -> None:
    """Run the command line; exit 0 done, 1 the run failed, 2 what was asked for cannot be done."""
    terminate_as_exit()
    try:
        app()
    except UsageError as error:
        typer.echo(f"imagemill: {error}", err=True)
        sys.exit(2)
    except (RunFailedError, LocalError) as error:
        typer.echo(f"imagemill: {error}", err=True)
        sys.exit(1)
