"""Prints lines as they are: without markup, guessed colours or line breaks."""

from __future__ import annotations

from rich.console import Console


def print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
