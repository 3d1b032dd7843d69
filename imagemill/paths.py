"""Checks paths that a person has typed, and shows names and paths unambiguously."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagemill.errors import UsageError
from imagemill_contract.source_keys import is_readable_key


def escaped(name: str) -> str:
    r"""A key or path on one line, so that different names look different.

    Unprintable characters and backslashes are escaped as in Python: a line break is `\n`, and a
    backslash followed by an n is `\\n`.
    """
    return "".join(
        mark if mark.isprintable() and mark != "\\" else repr(mark)[1:-1] for mark in name
    )


def resolved(path: Path, name: str) -> Path:
    """The absolute path. Raises UsageError if it cannot be written as an address.

    `name` is the argument or option that the sentence names.
    """
    absolute = path.resolve()
    if not is_readable_key(str(absolute).removeprefix("/")):
        raise UsageError(
            f'{name}: "{escaped(str(absolute))}" has a control character in its name, or is not '
            "UTF-8."
        )
    return absolute


@contextmanager
def path_errors(name: str, typed: str) -> Iterator[None]:
    """Turn what the system says about a path into UsageError."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter for a link that leads to itself
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f'{name}: "{escaped(typed)}" cannot be used: {reason}.') from None
