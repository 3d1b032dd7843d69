"""Options that several commands have: defined once, spread over the signature of each command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Generic, TypeVar

Read = TypeVar("Read")
Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class OptionGroup(Generic[Read]):
    """Options, as parameters that typer understands, and what they say together.

    Attributes:
        parameters: One for each option, annotated as in a command's own signature.
        read: Makes one value of what was typed, by the names of the parameters.
    """

    parameters: tuple[Parameter, ...]
    read: Callable[[Mapping[str, Any]], Read]


def option(name: str, annotation: object, default: object) -> Parameter:
    """A parameter that can be given by its name alone, as an option is."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_options(**groups: OptionGroup[Any]) -> Callable[[Command], Command]:
    """Give a command the options of groups.

    A parameter of the command that has the name of a group is not an option itself: on the command
    line the group's options stand in its place, and the command is called with what they say.
    """

    def spread(command: Command) -> Command:
        @functools.wraps(command)
        def called(**typed: Any) -> None:
            for name, group in groups.items():
                chosen = {item.name: typed.pop(item.name) for item in group.parameters}
                typed[name] = group.read(chosen)
            command(**typed)

        parameters: list[Parameter] = []
        for item in inspect.signature(command, eval_str=True).parameters.values():
            own = (item.replace(kind=Parameter.KEYWORD_ONLY),)
            parameters += groups[item.name].parameters if item.name in groups else own
        called.__signature__ = Signature(parameters)  # type: ignore[attr-defined] # typer reads it
        return called

    return spread
