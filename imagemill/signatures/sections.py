"""The list of commands in help, in sections."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from typer.core import TyperGroup

from imagemill.signatures.plain_values import taking_plain_values

ON_THIS_MACHINE, ON_A_STACK, RESULTS = "On this machine", "On a stack", "Results"


class SectionedGroup(TyperGroup):
    """Shows commands below the section that each was registered with."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [taking_plain_values(parameter) for parameter in super().get_params(ctx)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
        widest = max(map(len, self.commands))
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or "Commands"
            sections[str(title)].append((name.ljust(widest), command.get_short_help_str(80)))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)
