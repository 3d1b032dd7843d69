"""Replaces functions of the emulator, and refuses when they are not what we know.

The emulator's internals may change with each version. A hook that no longer fits has to stop the
engine at its start, with the name of what changed, rather than be without effect.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from imagemill_engine.errors import HookError

PINNED_VERSION = "1.5.33"

Owner = ModuleType | type


def installed_version() -> str:
    try:
        return version("ministack")
    except PackageNotFoundError:
        return "not installed"


def refusal(owner: Owner, name: str, found: str) -> HookError:
    return HookError(
        f"{owner.__name__}.{name} {found}. The hooks of the embedded engine were written for "
        f"ministack {PINNED_VERSION}; installed is {installed_version()}."
    )


def require(owner: Owner, name: str) -> Any:
    if not hasattr(owner, name):
        raise refusal(owner, name, "does not exist")
    return getattr(owner, name)


def require_function(owner: Owner, name: str, parameters: Sequence[str]) -> Callable[..., Any]:
    """The function, when it exists and takes exactly these parameters."""
    function: Callable[..., Any] = require(owner, name)
    if not callable(function):
        raise refusal(owner, name, "is not a function")
    found = list(inspect.signature(function).parameters)
    if found != list(parameters):
        raise refusal(owner, name, f"takes {found}, not {list(parameters)}")
    return function


def replace(
    owner: Owner, name: str, parameters: Sequence[str], replacement: Callable[..., Any]
) -> None:
    require_function(owner, name, parameters)
    setattr(owner, name, replacement)


def wrap(owner: Owner, name: str, parameters: Sequence[str], wrapper: Callable[..., Any]) -> None:
    """Replace a function by `wrapper`, which gets the original as its first argument."""
    original = require_function(owner, name, parameters)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    setattr(owner, name, wrapped)
