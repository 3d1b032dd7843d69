"""Prints lines as they are: without markup, guessed colours or line breaks."""

from __future__ import annotations

import json

from rich.console import Console


def print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value to standard output, for a program."""
    print_line(Console(), json.dumps(value, indent=2, ensure_ascii=False))
