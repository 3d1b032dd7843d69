"""The config file, `imagemill.toml`: a stack and a recipe that need not be typed each time."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from imagemill.errors import UsageError
from imagemill.paths import escaped, path_errors

FILE_NAME = "imagemill.toml"
CONFIG = "IMAGEMILL_CONFIG"  # the environment variable that names another file
STACK_FIELDS = ("stack", "profile", "region", "endpoint_url")
FIELDS = (*STACK_FIELDS, "max_cost", "recipe")


@dataclass(frozen=True, slots=True)
class Config:
    """What a config file says.

    Attributes:
        source: What to call it; empty if there is none.
        stack: The fields about the stack.
        max_cost: Most USD that a run may cost, not yet checked, or None.
        recipe: Fields of a recipe, not yet checked.
    """

    source: str = ""
    stack: Mapping[str, str] = field(default_factory=dict)
    max_cost: object = None
    recipe: Mapping[str, object] = field(default_factory=dict)


def config() -> Config:
    """The config of the working folder, or of the file that is named. Raises UsageError."""
    named = os.environ.get(CONFIG)
    return _config_at(Path(named or FILE_NAME).absolute(), is_named=bool(named))


@cache
def _config_at(path: Path, *, is_named: bool) -> Config:
    if not is_named and not path.is_file():
        return Config()
    shown = escaped(path.name if not is_named else str(path))
    try:
        with path_errors("--config", str(path)):
            document = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{shown} is not TOML: {error}.") from None
    return _checked(document, shown)


def _checked(document: Mapping[str, Any], shown: str) -> Config:
    for name in document:
        if name not in FIELDS:
            raise UsageError(f'{shown}: unknown field "{name}"; allowed are {", ".join(FIELDS)}.')
    stack = {name: document[name] for name in STACK_FIELDS if name in document}
    for name, value in stack.items():
        if not isinstance(value, str):
            raise UsageError(f"{shown}.{name}: {value!r} is not allowed; it must be a text.")
    recipe = document.get("recipe", {})
    if not isinstance(recipe, dict):
        raise UsageError(
            f"{shown}.recipe: {recipe!r} is not allowed; it must be a table of fields."
        )
    return Config(shown, stack, document.get("max_cost"), recipe)
