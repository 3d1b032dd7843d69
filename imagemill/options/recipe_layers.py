"""Where the fields of a recipe come from: the config file, a recipe file, options, defaults."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from imagemill.errors import UsageError
from imagemill.options.config import config
from imagemill.options.recipe_fields import recipe_fields
from imagemill.options.values import json_or_text, number_or_text
from imagemill.paths import escaped, path_errors, resolved
from imagemill_contract.errors import RecipeError
from imagemill_contract.fields import ByteCount, Rule, Shares, WholeNumber
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import Columns
from imagemill_contract.recipe_parts.labels import LabelList
from imagemill_contract.recipe_parts.model_rules import ModelAddress
from imagemill_contract.recipe_parts.numbers import Number
from imagemill_contract.recipe_parts.preprocessing import PreprocessingFields
from imagemill_contract.recipe_parts.sizes import SizeList
from imagemill_contract.stages import MoreStages

DEFAULT = "default"
_EITHER = {"size", "sizes"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Layer:
    """Fields that were given in one place.

    Attributes:
        source: What a person calls that place.
        where: How sentences about them begin.
    """

    source: str
    where: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SourcedValue:
    """A field of the recipe that counts, as a JSON value, and where it was given."""

    field: str
    value: object
    source: str


def layers_of(path: Path | None, options: Mapping[str, bool | str | None]) -> list[Layer]:
    """What was given, the strongest last. Raises UsageError for a file that cannot be read.

    Args:
        path: Of the recipe file, or None.
        options: What was typed, by field; None for what was not.
    """
    rules = {field.name: field.rule for field in recipe_fields()}
    typed = {name: text for name, text in options.items() if text is not None}
    layers = [
        Layer(
            "options", "recipe", {name: _value(text, rules[name]) for name, text in typed.items()}
        )
    ]
    if path:
        layers.insert(0, Layer(escaped(str(path)), escaped(str(path)), _document_in(path)))
    filed = config()
    if filed.recipe:
        layers.insert(0, Layer(filed.source, f"{filed.source}.recipe", filed.recipe))
    return layers


def recipe_of(layers: Sequence[Layer]) -> Recipe:
    """The recipe that counts. Raises UsageError with the contract's sentence."""
    document: dict[str, object] = {}
    try:
        for layer in layers:
            Recipe.values_in(layer.values, where=layer.where)
            document = _without_weaker(document, layer.values) | dict(layer.values)
        return Recipe.from_document(document)
    except RecipeError as error:
        raise UsageError(str(error)) from None


def _without_weaker(document: Mapping[str, T], stronger: Mapping[str, object]) -> dict[str, T]:
    """Weaker layers without `size` where a stronger one has `sizes`, and the other way round."""
    given = _EITHER & stronger.keys()
    return {name: it for name, it in document.items() if name not in _EITHER or not given}


def sourced_values(layers: Sequence[Layer]) -> list[SourcedValue]:
    """Every field of the recipe that counts, with where its value was given. Raises UsageError."""
    document = recipe_of(layers).to_document()
    sources: dict[str, str] = {}
    for layer in layers:
        sources = _without_weaker(sources, layer.values) | dict.fromkeys(layer.values, layer.source)
    options = set(layers[-1].values)
    return [
        SourcedValue(
            name,
            value,
            f"--{name.replace('_', '-')}" if name in options else sources.get(name, DEFAULT),
        )
        for name, value in document.items()
    ]


def _value(typed: bool | str, rule: Rule) -> object:
    """The JSON value that the rule reads, from what was typed."""
    if isinstance(typed, bool):
        return typed
    if isinstance(rule, Shares):
        return _shares(typed)
    if isinstance(rule, Columns | MoreStages):
        return _listed(typed)
    if isinstance(rule, SizeList):
        return _numbers(typed)
    if isinstance(rule, LabelList):
        return json_or_text(typed) if typed.startswith("[") else typed.split(",")
    if isinstance(rule, PreprocessingFields):
        return json_or_text(typed)
    if isinstance(rule, ModelAddress):
        return _address(typed)
    return number_or_text(typed) if isinstance(rule, WholeNumber | Number | ByteCount) else typed


def _shares(text: str) -> object:
    """`train=0.9,validation=0.1` as an object; any other text as it is, for the rule to refuse."""
    if text.startswith("{"):  # as in a document
        return json_or_text(text)
    pairs = [part.partition("=") for part in text.split(",")]
    shares = {name.strip(): number_or_text(share.strip()) for name, _, share in pairs}
    is_whole = all(equals for _, equals, _ in pairs) and len(shares) == len(pairs)
    return shares if is_whole else text


def _numbers(text: str) -> object:
    """`64,128` as a list of numbers; a part that is none stays text, for the rule to refuse."""
    if text.startswith("["):  # as in a document
        return json_or_text(text)
    return [number_or_text(part.strip()) for part in text.split(",")]


def _address(text: str) -> str:
    """The address of a file; a path is one of this machine."""
    if not text or "://" in text:
        return text
    path = resolved(Path(text), "--model")
    return Location.of_folder(PurePosixPath(path.parent)).address_of(path.name)


def _listed(text: str) -> object:
    """`caption,year:int` as a list, or what a document has instead."""
    return json_or_text(text) if text.startswith(("{", "[")) else text.split(",")


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
