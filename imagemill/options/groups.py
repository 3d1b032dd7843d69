"""Groups of options, defined once and added to the signature of each command that has them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import Parameter, Signature
from typing import Any, Generic, TypeVar, get_type_hints

Read = TypeVar("Read")
Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class OptionGroup(Generic[Read]):
    """Options as parameters that typer understands, and the one value that follows from them.

    Attributes:
        parameters: One for each option, annotated as in a command's own signature.
        read: Makes the value from what was typed, by the names of the parameters.
    """

    parameters: tuple[Parameter, ...]
    read: Callable[[Mapping[str, Any]], Read]


def option(name: str, annotation: object, default: object) -> Parameter:
    """A keyword-only parameter, which typer makes into an option."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def group_of(kind: type[Read], read: Callable[[Mapping[str, Any]], Read]) -> OptionGroup[Read]:
    """The options that a dataclass declares: one for each field, annotated as an option."""
    hints = get_type_hints(kind, include_extras=True)
    defaults = {item.name: item.default for item in fields(kind)}  # type: ignore[arg-type] # a dataclass
    parameters = tuple(option(name, hints[name], default) for name, default in defaults.items())
    return OptionGroup(parameters, read)


def with_options(**groups: OptionGroup[Any]) -> Callable[[Command], Command]:
    """Give a command the options of groups.

    A parameter with the name of a group is replaced on the command line by the group's options. The
    command is called with the value that `read` makes from them.
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
