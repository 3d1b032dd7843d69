"""Plain lines: as they are, with no markup, no colours of guessed words and no breaks."""

from __future__ import annotations

from rich.console import Console


def print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
