"""Commands that take what needs no conversion as it is: typer would ask pydantic.

To import pydantic, and to make its adapters for some fifty options that nobody typed, takes 70 ms
in which nothing else of a run has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.core import TyperCommand

Taken = Callable[[Any, Any], Any]


class PlainCommand(TyperCommand):
    """A command whose texts, and options that nobody typed, stay as they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [taking_plain_values(parameter) for parameter in super().get_params(ctx)]


def taking_plain_values(parameter: Any) -> Any:
    """The same parameter of typer, which now converts only values that need it."""
    if "process_value" not in vars(parameter):
        parameter.process_value = _taken(parameter, parameter.process_value)
    return parameter


def _taken(parameter: Any, process_value: Taken) -> Taken:
    is_text = parameter.type_descriptor.annotation is str
    nothing = () if parameter.multiple or parameter.nargs == -1 else None

    def taken(context: Any, value: Any) -> Any:
        is_missing = value is None and not parameter.required
        if not (is_missing or (is_text and isinstance(value, str))):
            return process_value(context, value)
        value = nothing if is_missing else value
        return parameter.callback(context, parameter, value) if parameter.callback else value

    return taken
