"""Replaces functions of the emulator, and refuses when they are not the ones that we know.

The emulator's internals may change with each version. A hook that no longer fits has to stop the
engine at its start, and say what has changed, instead of having no effect.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from imagemill_engine.errors import HookError
from imagemill_engine.shapes import Document, Function

PINNED_VERSION = "1.5.33"


def installed_version() -> str:
    """Of the emulator."""
    try:
        return version("ministack")
    except PackageNotFoundError:
        return "not installed"


def refusal(owner: ModuleType, name: str, found: str) -> HookError:
    """The error that says what has changed."""
    return HookError(
        f"{owner.__name__}.{name} {found}. The hooks of the embedded engine were written for "
        f"ministack {PINNED_VERSION}; installed is {installed_version()}."
    )


def require(owner: ModuleType, name: str) -> object:
    """What the emulator calls by this name. Raises HookError when it is not there."""
    if not hasattr(owner, name):
        raise refusal(owner, name, "does not exist")
    return getattr(owner, name)


def require_table(owner: ModuleType, name: str) -> Document:
    """A dispatch table of the emulator, to be written into. Raises HookError."""
    table = require(owner, name)
    if not isinstance(table, dict):
        raise refusal(owner, name, "is not a dict")
    return table


def require_function(owner: ModuleType, name: str, parameters: Sequence[str]) -> Function:
    """The function that takes exactly these parameters. Raises HookError."""
    function = require(owner, name)
    if not callable(function):
        raise refusal(owner, name, "is not a function")
    found = list(inspect.signature(function).parameters)
    if found != list(parameters):
        raise refusal(owner, name, f"takes {found}, not {list(parameters)}")
    return function


def replace(owner: ModuleType, name: str, parameters: Sequence[str], replacement: Function) -> None:
    """Put our function in the place of the emulator's. Raises HookError."""
    require_function(owner, name, parameters)
    setattr(owner, name, replacement)


def wrap(owner: ModuleType, name: str, parameters: Sequence[str], wrapper: Function) -> None:
    """Replace a function by `wrapper`, which gets the original as its first argument.

    Raises HookError.
    """
    original = require_function(owner, name, parameters)
    setattr(owner, name, functools.wraps(original)(functools.partial(wrapper, original)))
