"""The part of docs/cli.md that is made from the help texts: `python -m tests.helpers.cli_page`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from imagemill.cli import PROGRAM, app
from imagemill.project import ROOT

PAGE = ROOT / "docs" / "cli.md"
MARK = "<!-- From here on the page is made from the help texts, by `make docs`. -->\n"
WIDTH = 80


def commands() -> dict[str, Any]:
    """Every command by what one types for it, such as `recipe check`."""
    return dict(_commands(typer.main.get_command(app), ()))


def help_of(name: str) -> str:
    """What `imagemill NAME --help` prints in a terminal of 80 columns."""
    command = commands()[name]
    context = command.context_class(
        command, info_name=f"{PROGRAM} {name}", terminal_width=WIDTH, max_content_width=WIDTH
    )
    text: str = command.get_help(context)
    return text


def example_of(name: str) -> str:
    """The command line that a help text has as its example."""
    (line,) = re.findall(r"^Example: (.*)$", commands()[name].help, re.M)
    return str(line)


def generated() -> str:
    """A section for each command: its example, and its help."""
    return "".join(
        f"\n## {name}\n\n```\n{example_of(name)}\n```\n\n```text\n{help_of(name)}\n```\n"
        for name in commands()
    )


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def main() -> None:
    """Write that part anew; what stands above it stays."""
    head, mark, _ = PAGE.read_text("utf-8").partition(MARK)
    PAGE.write_text(head + mark + generated(), encoding="utf-8")


if __name__ == "__main__":
    main()
