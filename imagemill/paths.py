"""Names and paths that a person has typed: checked, and shown again without doubt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagemill.errors import UsageError
from imagemill_contract.keys import is_readable_key


def escaped(name: str) -> str:
    r"""A key or a path on one line, no two names alike.

    What is not printable is written as in Python, a backslash as two: a line break is `\n`, and a
    backslash followed by an n is `\\n`.
    """
    return "".join(
        mark if mark.isprintable() and mark != "\\" else repr(mark)[1:-1] for mark in name
    )


def resolved(path: Path, name: str) -> Path:
    """The path as an absolute one, of which an address can be made. Raises UsageError.

    `name` is that of the argument or option, for the sentence.
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
    """What the system says of a path, as UsageError."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter for a link that leads to itself
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f'{name}: "{escaped(typed)}" cannot be used: {reason}.') from None
