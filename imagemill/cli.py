"""The command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from imagemill.commands.compact import compact_dataset
from imagemill.commands.plan import planned_bucket, planned_folder
from imagemill.commands.run import run_folder
from imagemill.commands.up import serve
from imagemill.commands.verify import verify_dataset
from imagemill.display.plan import plan_text, print_plan
from imagemill.errors import RunFailedError, UsageError
from imagemill.options import filters as options
from imagemill.options.recipe import recipe_from
from imagemill.signals import terminate_as_exit
from imagemill_engine.errors import LocalError

app = typer.Typer(
    name="imagemill",
    help="Turns a bucket of images into training-ready data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def run(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="Folder of pictures")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results")],
    recipe: options.RecipeFile = None,
    size: options.Size = None,
    mode: options.Mode = None,
    image_format: options.Format = None,
    quality: options.Quality = None,
    resize_only_if_bigger: options.OnlyIfBigger = None,
    anchor: options.AnchorOption = None,
    edge: options.Edge = None,
    output: options.OutputForm = None,
    dataset_name: options.DatasetName = None,
    shard_bytes: options.ShardBytes = None,
    split: options.Split = None,
    shuffle: options.Shuffle = None,
    seed: options.Seed = None,
    label_from_folder: options.LabelFromFolder = None,
    manifest: options.Manifest = None,
    exclude: options.Exclude = None,
    include: options.Include = None,
    exclude_glob: options.ExcludeGlob = None,
    min_bytes: options.MinBytes = None,
    max_bytes: options.MaxBytes = None,
    limit: options.Limit = None,
    full: options.Full = False,
    prune: options.Prune = False,
    vcpus: options.Vcpus = None,
) -> None:
    """Resize and edge-extract a folder of pictures on this machine, without AWS."""
    chosen = options.recipe_fields(
        *(size, mode, image_format, quality, resize_only_if_bigger, anchor, edge),
        *(output, dataset_name, shard_bytes, split, shuffle, seed, label_from_folder),
    )
    filters = options.Filters(
        manifest, exclude, include, exclude_glob, min_bytes, max_bytes, limit, full
    )
    fields = {**filters.to_fields(), **({"prune": True} if prune else {})}
    run_folder(photos, out, recipe_from(recipe, chosen), fields, vcpus=vcpus, console=Console())


@app.command()
def plan(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, or s3://bucket/prefix/")],
    out: Annotated[
        Path | None,
        typer.Argument(metavar="[OUT]", help="Folder of earlier results, whose work is left out"),
    ] = None,
    recipe: options.RecipeFile = None,
    size: options.Size = None,
    mode: options.Mode = None,
    image_format: options.Format = None,
    quality: options.Quality = None,
    resize_only_if_bigger: options.OnlyIfBigger = None,
    anchor: options.AnchorOption = None,
    edge: options.Edge = None,
    output: options.OutputForm = None,
    dataset_name: options.DatasetName = None,
    shard_bytes: options.ShardBytes = None,
    split: options.Split = None,
    shuffle: options.Shuffle = None,
    seed: options.Seed = None,
    label_from_folder: options.LabelFromFolder = None,
    manifest: options.Manifest = None,
    exclude: options.Exclude = None,
    include: options.Include = None,
    exclude_glob: options.ExcludeGlob = None,
    min_bytes: options.MinBytes = None,
    max_bytes: options.MaxBytes = None,
    limit: options.Limit = None,
    full: options.Full = False,
    stack: Annotated[str, typer.Option(help="Stack that plans s3://")] = "imagemill",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
    vcpus: options.Vcpus = None,
) -> None:
    """Show what a run would do, how long it takes and what it costs; nothing is run."""
    filters = options.Filters(
        manifest, exclude, include, exclude_glob, min_bytes, max_bytes, limit, full
    )
    chosen = options.recipe_fields(
        *(size, mode, image_format, quality, resize_only_if_bigger, anchor, edge),
        *(output, dataset_name, shard_bytes, split, shuffle, seed, label_from_folder),
    )
    wanted = recipe_from(recipe, chosen)
    if source.startswith("s3://"):
        shown = planned_bucket(source, stack, wanted, filters)
    else:
        shown = planned_folder(Path(source), out, wanted, filters, vcpus=vcpus)
    if as_json:
        typer.echo(plan_text(shown))
    else:
        print_plan(Console(), shown)


Results = Annotated[
    str, typer.Argument(metavar="OUT", help="Folder of results, or s3://bucket/ of them")
]


@app.command()
def verify(out: Results) -> None:
    """Read all dataset shards back and check every sample against the index."""
    verify_dataset(out, console=Console())


@app.command()
def compact(out: Results) -> None:
    """Rewrite dataset shards that hold superseded samples, or few; not while a run is on."""
    compact_dataset(out, console=Console())


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port (default: a free one)")
    ] = None,
    vcpus: options.Vcpus = None,
) -> None:
    """Run the stack on this machine for any AWS client, until Ctrl-C."""
    serve(port=port, vcpus=vcpus, console=Console())


def main() -> None:
    """Run the command line; exit 0 done, 1 the run failed, 2 what was asked for cannot be done."""
    terminate_as_exit()
    errors = Console(stderr=True)
    try:
        app()
    except UsageError as error:
        errors.print(f"imagemill: {error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except (RunFailedError, LocalError) as error:
        errors.print(f"imagemill: {error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
