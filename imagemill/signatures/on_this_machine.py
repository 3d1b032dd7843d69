"""Commands that work on this machine, on folders of pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from imagemill.errors import UsageError
from imagemill.options.filters import FILTERS, Filters
from imagemill.options.groups import with_options
from imagemill.options.machine import Json, Port, Vcpus
from imagemill.options.recipe import RECIPE
from imagemill.options.stack import STACK, MaxCost, StackChoice, budget
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.choices import Measure

Results = Annotated[
    str, typer.Argument(metavar="OUT", help="Folder or s3://bucket/ with the results of runs")
]


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
    as_json: Json = False,
) -> None:
    """Process a folder of pictures.

    Resizes every picture and finds its edges, as the recipe says. Needs no AWS account.

    Example: imagemill run PHOTOS OUT --size 256 --mode border
    """
    from imagemill.commands.run import run_folder

    fields = {**filters.to_fields(), **({"prune": True} if prune else {})}
    run_folder(photos, out, recipe, fields, vcpus=vcpus, as_json=as_json)


@with_options(recipe=RECIPE, filters=FILTERS, stack=STACK)
def plan(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, or s3://bucket/prefix/")],
    recipe: Recipe,
    filters: Filters,
    stack: StackChoice,
    out: Annotated[
        str | None,
        typer.Argument(metavar="[OUT]", help="Folder with earlier results, which are left out"),
    ] = None,
    max_cost: MaxCost = None,
    vcpus: Vcpus = None,
    as_json: Json = False,
) -> None:
    """Show what a run would do and cost.

    Says how many pictures it would take and why, how long it would take and what it would cost.
    Runs nothing and writes nothing.

    Example: imagemill plan PHOTOS OUT --size 256
    """
    from imagemill.commands.plan import planned_bucket, planned_folder
    from imagemill.display.plan import print_plan

    if source.startswith("s3://"):
        if out is not None:
            raise UsageError("OUT: is only for folders; a stack knows what is in its own bucket.")
        shown = planned_bucket(source, stack, recipe, filters, more=budget(max_cost))
    else:
        more = budget(max_cost)
        shown = planned_folder(source, out, recipe, filters, more=more, vcpus=vcpus)
    print_plan(shown, as_json=as_json)


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
    as_json: Json = False,
) -> None:
    """Check every sample of a packed dataset, and repair it.

    Reads all dataset shards back and compares them with the index. The next run does the pictures
    of damaged shards again. Ends with code 1 if a shard is damaged.

    Example: imagemill verify OUT --repair
    """
    from imagemill.commands.verify import verify_dataset

    verify_dataset(out, repair=repair, force=force, as_json=as_json)


def compact(out: Results, as_json: Json = False) -> None:
    """Remove superseded samples from a dataset.

    Rewrites the dataset shards that hold any, and merges small ones. Refuses to begin while a run
    or another compaction is going on.

    Example: imagemill compact OUT
    """
    from imagemill.commands.compact import compact_dataset

    compact_dataset(out, as_json=as_json)


def duplicates(
    out: Results,
    distance: Annotated[
        float | None,
        typer.Option(
            "--distance",
            min=0,
            max=16,
            help="Also find pictures that look alike: bits, of 64, that may differ; of vectors 1 - "
            "cosine",
            metavar="N",
        ),
    ] = None,
    by: Annotated[
        Measure,
        typer.Option("--by", help="What is compared with --distance", show_default=True),
    ] = Measure.FINGERPRINT,
    as_json: Json = False,
) -> None:
    """List pictures that are there more than once.

    Without --distance: samples of a packed dataset whose pictures are the same byte for byte. With
    it, also of results that are files: --distance 2 finds copies that were scaled or encoded anew,
    too. Only the index is read.

    --by vector compares what a model has given, by 1 - cosine: it finds what the model takes for
    alike, and reads all vectors.

    Example: imagemill duplicates OUT --by vector --distance 0.05
    """
    from imagemill.commands.duplicates import list_duplicates

    list_duplicates(out, by=by, distance=distance, as_json=as_json)


def up(port: Port = None, vcpus: Vcpus = None, as_json: Json = False) -> None:
    """Run the stack on this machine, until Ctrl-C.

    It serves any AWS client: the AWS command line, boto3, and the commands of imagemill that take a
    stack.

    Example: imagemill up --port 4566
    """
    from imagemill.commands.up import serve

    serve(port=port, vcpus=vcpus, as_json=as_json)


def demo() -> None:
    """Take 208 real pictures through the whole pipeline.

    Leaves pictures, edge maps, the report and a contact sheet in demo-out/.

    Example: imagemill demo
    """
    from imagemill.commands.demo import run_demo

    run_demo()


COMMANDS = (run, plan, verify, compact, duplicates, up, demo)
