"""The recipe of a run: from a file, from options, or both.

The options are made from the contract's fields and their texts.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.errors import UsageError
from imagemill.options.groups import OptionGroup, option
from imagemill.options.values import json_or_text, number_or_text
from imagemill.paths import escaped, path_errors
from imagemill_contract.errors import RecipeError
from imagemill_contract.fields import (
    ByteCount,
    Colour,
    OneOf,
    Rule,
    Shares,
    TrueOrFalse,
    WholeNumber,
)
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_fields import RecipeField, recipe_fields

_METAVARS = {WholeNumber: "N", ByteCount: "BYTES", Colour: "#RRGGBB", Shares: "NAME=SHARE,..."}
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
    """The recipe in `path`, if given, overridden by every option that is not None.

    Raises UsageError with the contract's sentence.
    """
    rules = {field.name: field.rule for field in recipe_fields()}
    chosen = {
        name: _value(typed, rules[name]) for name, typed in options.items() if typed is not None
    }
    try:
        document = _document_in(path) if path else {}
        Recipe.values_in(document, where=escaped(str(path)))
        return Recipe.from_document({**document, **chosen})
    except RecipeError as error:
        raise UsageError(str(error)) from None


def _value(typed: bool | str, rule: Rule) -> object:
    """The JSON value that the rule reads, from what was typed."""
    if isinstance(typed, bool):
        return typed
    if isinstance(rule, Shares):
        return _shares(typed)
    return number_or_text(typed) if isinstance(rule, WholeNumber | ByteCount) else typed


def _shares(text: str) -> object:
    """`train=0.9,validation=0.1` as an object; any other text as it is, for the rule to refuse."""
    if text.startswith("{"):  # as in a document
        return json_or_text(text)
    pairs = [part.partition("=") for part in text.split(",")]
    shares = {name.strip(): number_or_text(share.strip()) for name, _, share in pairs}
    is_whole = all(equals for _, equals, _ in pairs) and len(shares) == len(pairs)
    return shares if is_whole else text


def _document_in(path: Path) -> dict[str, object]:
    name = escaped(str(path))
    try:
        with path_errors("--recipe", str(path)):
            text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise UsageError(f'--recipe: "{name}" is not JSON or TOML: {error}.') from None
    if not isinstance(document, dict):
        raise UsageError(f'--recipe: "{name}" must hold an object of fields.')
    return document


def _read(typed: Mapping[str, Any]) -> Recipe:
    options = {name: value for name, value in typed.items() if name != _FILE}
    return recipe_from(typed[_FILE], options)


RECIPE = OptionGroup((_file_option(), *map(_field_option, recipe_fields())), _read)
