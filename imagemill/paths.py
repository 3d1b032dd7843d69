"""Names as a terminal can show them."""

from __future__ import annotations


def escaped(name: str) -> str:
    r"""A key or a path on one line, no two names alike.

    What is not printable is written as in Python, a backslash as two: a line break is `\n`, and a
    backslash followed by an n is `\\n`.
    """
    return "".join(
        mark if mark.isprintable() and mark != "\\" else repr(mark)[1:-1] for mark in name
    )
