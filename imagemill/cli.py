"""The command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from imagemill.errors import RunFailedError, UsageError
from imagemill.local.engine import terminate_as_exit
from imagemill.local.errors import LocalError
from imagemill.recipes import recipe_from
from imagemill.run_command import run_folder
from imagemill.up_command import serve
from imagemill_contract.recipe import Anchor, EdgeMethod, ImageFormat, ResizeMode

app = typer.Typer(
    name="imagemill",
    help="Turns a bucket of images into training-ready data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

VcpusOption = Annotated[
    int | None, typer.Option(min=1, help="vCPUs that jobs may use [default: this machine's]")
]


@app.command()
def run(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="Folder of pictures")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results")],
    recipe: Annotated[
        Path | None, typer.Option(help="Recipe file, JSON or TOML; options win over it")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Target side in pixels [default: 128]")] = None,
    mode: Annotated[
        ResizeMode | None, typer.Option(help="Resize mode [default: center_crop]")
    ] = None,
    image_format: Annotated[
        ImageFormat | None, typer.Option("--format", help="Encoding [default: jpg]")
    ] = None,
    quality: Annotated[
        int | None, typer.Option(help="Quality of jpg and webp, 1 to 100 [default: 95]")
    ] = None,
    resize_only_if_bigger: Annotated[
        bool | None, typer.Option(help="Never enlarge a picture", show_default=False)
    ] = None,
    anchor: Annotated[
        Anchor | None, typer.Option(help="What center_crop keeps [default: center]")
    ] = None,
    edge: Annotated[EdgeMethod | None, typer.Option(help="Edge method [default: canny]")] = None,
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
