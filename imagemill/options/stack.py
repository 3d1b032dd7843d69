"""Options that say which stack is meant and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from imagemill.options.config import config
from imagemill.options.groups import OptionGroup, group_of

DEFAULT_STACK = "imagemill"

MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", metavar="USD", help="Refuse the run if its plan costs more"),
]


def budget(max_cost: float | None) -> dict[str, object]:
    """The field of a request that limits its cost: as typed, or as the config file has it."""
    limit = max_cost if max_cost is not None else config().max_cost
    return {} if limit is None else {"max_cost": limit}


@dataclass(frozen=True, slots=True)
class StackChoice:
    """A stack and the way to it. Each field is the option of its name, or that of the config file.

    What is None is left to the settings that all AWS clients read: environment and profile.
    """

    stack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Name of the stack (default: {DEFAULT_STACK})"),
    ] = None
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="AWS profile, with credentials and region")
    ] = None
    region: Annotated[str | None, typer.Option(metavar="NAME", help="AWS region")] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Endpoint, for a stack that `imagemill up` runs"),
    ] = None

    @property
    def name(self) -> str:
        return self.stack or DEFAULT_STACK


def _chosen(**typed: str | None) -> StackChoice:
    filed = config().stack
    return StackChoice(**{name: value or filed.get(name) for name, value in typed.items()})


STACK: OptionGroup[StackChoice] = group_of(StackChoice, lambda typed: _chosen(**typed))
