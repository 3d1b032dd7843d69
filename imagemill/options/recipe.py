"""The recipe of a run: from a file, from options, or both.

The options are made from the contract's fields and their texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.options.groups import OptionGroup, option
from imagemill.options.recipe_fields import RecipeField, recipe_fields
from imagemill.options.recipe_layers import Layer, layers_of, recipe_of
from imagemill_contract.fields import (
    ByteCount,
    Colour,
    OneOf,
    Shares,
    TrueOrFalse,
    WholeNumber,
)
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import ColumnName, Columns
from imagemill_contract.recipe_parts.labels import LabelList
from imagemill_contract.recipe_parts.model_rules import Digest, Expression, ModelAddress
from imagemill_contract.recipe_parts.numbers import Number
from imagemill_contract.recipe_parts.preprocessing import PreprocessingFields
from imagemill_contract.recipe_parts.sizes import SizeList
from imagemill_contract.stages import MoreStages

_METAVARS: dict[type, str] = {
    **{WholeNumber: "N", Number: "X", ByteCount: "BYTES", Colour: "#RRGGBB"},
    **{Shares: "NAME=SHARE,...", SizeList: "N,..."},
    **{Columns: "NAME[:TYPE],...", ColumnName: "NAME", MoreStages: "NAME,..."},
    LabelList: "NAME,...",
    **{ModelAddress: "FILE", PreprocessingFields: "JSON", Digest: "HEX", Expression: "TEXT"},
}
_FILE = "recipe_file"


def _file_option() -> Parameter:
    text = "Recipe file (JSON or TOML); options override it"
    shown = typer.Option("--recipe", metavar="FILE", help=text)
    return option(_FILE, Annotated[Path | None, shown], None)


def _field_option(field: RecipeField) -> Parameter:
    """The option of a recipe field. The contract checks its value."""
    dashed = field.name.replace("_", "-")
    if isinstance(field.rule, TrueOrFalse):
        switch = typer.Option(f"--{dashed}/--no-{dashed}", help=described(field))
        return option(field.name, Annotated[bool | None, switch], None)
    metavar = _METAVARS.get(type(field.rule), "WORD")
    valued = typer.Option(
        f"--{dashed}", metavar=metavar, help=described(field), autocompletion=_completion(field)
    )
    return option(field.name, Annotated[str | None, valued], None)


def _completion(field: RecipeField) -> Callable[[str], list[str]] | None:
    """What the shell proposes for the value of an option; nothing unless it is one of a few."""
    if not isinstance(field.rule, OneOf):
        return None
    words = [str(choice) for choice in field.rule.choices]
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def described(field: RecipeField) -> str:
    """The help of a recipe field: what it does, what is allowed, and its default."""
    if isinstance(field.rule, TrueOrFalse):
        return f"{field.text} (default: {'yes' if field.default else 'no'})"
    default = json.dumps(field.default).strip('"')
    return f"{field.text}: {field.rule.allowed} (default: {default})"


def recipe_from(path: Path | None, options: Mapping[str, bool | str | None]) -> Recipe:
    """The recipe of the config file, overridden by the one in `path`, overridden by options.

    Raises UsageError with the contract's sentence.
    """
    return recipe_of(layers_of(path, options))


def _read_layers(typed: Mapping[str, Any]) -> list[Layer]:
    options = {name: value for name, value in typed.items() if name != _FILE}
    return layers_of(typed[_FILE], options)


_PARAMETERS = (_file_option(), *map(_field_option, recipe_fields()))
RECIPE = OptionGroup(_PARAMETERS, lambda typed: recipe_of(_read_layers(typed)))
LAYERS = OptionGroup(_PARAMETERS, _read_layers)
