"""The command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from imagemill.errors import RunFailedError, UsageError
from imagemill.local.engine import terminate_as_exit
from imagemill.local.errors import LocalError
from imagemill.recipes import described, recipe_from
from imagemill.run_command import run_folder
from imagemill.up_command import serve

app = typer.Typer(
    name="imagemill",
    help="Turns a bucket of images into training-ready data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def recipe_option(name: str) -> Any:
    """The option of a recipe field; the contract says what it may hold, and judges it."""
    flag = "--" + name.replace("_", "-")
    return typer.Option(flag, metavar="VALUE", help=described(name))


VcpusOption = Annotated[
    int | None, typer.Option(min=1, help="vCPUs that jobs may use [default: this machine's]")
]


@app.command()
def run(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="Folder of pictures")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results")],
    recipe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Recipe file, JSON or TOML; options win over it"),
    ] = None,
    size: Annotated[str | None, recipe_option("size")] = None,
    mode: Annotated[str | None, recipe_option("mode")] = None,
    image_format: Annotated[str | None, recipe_option("format")] = None,
    quality: Annotated[str | None, recipe_option("quality")] = None,
    resize_only_if_bigger: Annotated[str | None, recipe_option("resize_only_if_bigger")] = None,
    anchor: Annotated[str | None, recipe_option("anchor")] = None,
    edge: Annotated[str | None, recipe_option("edge")] = None,
    vcpus: VcpusOption = None,
) -> None:
    """Resize and edge-extract a folder of pictures on this machine, without AWS."""
    options = {
        "size": size,
        "mode": mode,
        "format": image_format,
        "quality": quality,
        "resize_only_if_bigger": resize_only_if_bigger,
        "anchor": anchor,
        "edge": edge,
    }
    run_folder(photos, out, recipe_from(recipe, options), vcpus=vcpus, console=Console())


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port [default: a free one]")
    ] = None,
    vcpus: VcpusOption = None,
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
    except KeyboardInterrupt:
        errors.print("imagemill: ended by Ctrl-C.", highlight=False)
        sys.exit(130)
