"""Commands about recipes."""

from __future__ import annotations

import typer

from imagemill.options.groups import with_options
from imagemill.options.machine import Json
from imagemill.options.recipe import LAYERS
from imagemill.options.recipe_layers import Layer

app = typer.Typer(name="recipe", help="Check a recipe.", no_args_is_help=True)


@app.callback()
def options_of_all() -> None:
    """Check what a recipe is made of."""


@app.command()
@with_options(layers=LAYERS)
def check(layers: list[Layer], as_json: Json = False) -> None:
    """Show the recipe that counts, and where each value is from.

    Takes the same options as a run. Options win over a recipe file, and that over imagemill.toml.

    Example: imagemill recipe check --recipe recipe.toml --size 256
    """
    from imagemill.commands.recipe import show_recipe

    show_recipe(layers, as_json=as_json)
