"""The recipe of a run: from a file, from options, or both."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from imagemill.errors import UsageError
from imagemill_contract.errors import RecipeError
from imagemill_contract.recipe import Recipe


def described(name: str) -> str:
    """What a recipe field does, may hold, and holds by default."""
    (item,) = [item for item in fields(Recipe) if item.name == name]
    default = json.dumps(Recipe().to_document()[name]).strip('"')
    return f"{item.metadata['text']}: {item.metadata['rule'].allowed} (default: {default})"


def recipe_from(path: Path | None, options: Mapping[str, str | None]) -> Recipe:
    """The recipe in `path`, if given, with every option that is not None put over it.

    Raises UsageError with the contract's sentence.
    """
    document = _document_in(path) if path else {}
    chosen = {
        name: _shares(text) if name == "split" else _json_value(text)
        for name, text in options.items()
        if text is not None
    }
    try:
        Recipe.from_document(document, where=str(path))
        return Recipe.from_document({**document, **chosen})
    except RecipeError as error:
        raise UsageError(str(error)) from None


def _json_value(text: str) -> object:
    """`128`, `true` and objects as JSON has them, anything else as the text that it is."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | dict) else text


def _shares(text: str) -> object:
    """`train=0.9,validation=0.1` as an object; the contract judges what comes of any other text."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(equals for _, equals, _ in pairs):
        return _json_value(text)
    return {name.strip(): _json_value(share.strip()) for name, _, share in pairs}


def _document_in(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise UsageError(f"--recipe: {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"--recipe: {path} is not JSON or TOML: {error}.") from None
    if not isinstance(document, dict):
        raise UsageError(f"--recipe: {path} must hold an object of fields.")
    return document
