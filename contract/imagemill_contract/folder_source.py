"""A folder as a source: the one definition of which of its files are objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from imagemill_contract.locations import Location
from imagemill_contract.source_keys import is_hidden


class LeftOut(StrEnum):
    """Why a file or folder is left out without being opened."""

    HIDDEN = "hidden"  # also a whole folder, which then counts as one
    LINKED_FOLDER = "link to a folder"
    NO_REGULAR_FILE = "not a regular file"
    NO_PICTURE = "not a picture by its name"


@dataclass(frozen=True, slots=True)
class FoundName:
    """Something in a folder, by its key: an object, unless there is a reason to leave it out."""

    key: str
    left_out: LeftOut | None = None


def names_in(folder: Path, on_error: Callable[[OSError], object]) -> Iterator[FoundName]:
    """Everything in a folder and its subfolders, in the order of keys.

    `on_error` gets what cannot be listed. Does not check whether a file's name can be that of a
    picture.
    """
    listed = [_names_of(folder, "", on_error)]  # and not by recursion: folders may lie very deep
    while listed:
        key = next(listed[-1], None)
        if key is None:
            listed.pop()
        elif not key.endswith("/"):
            yield FoundName(key, _reason_to_leave(folder / key))
        elif (reason := _reason_to_pass_by(folder / key)) is not None:
            yield FoundName(key.removesuffix("/"), reason)
        else:
            listed.append(_names_of(folder, key, on_error))


def printable_key(key: str) -> str:
    """A key for people and documents: bytes that are no UTF-8 are written as numbers."""
    return key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def no_pictures(source: Location, left_out: Mapping[str, int]) -> str:
    """The sentence that refuses a source without pictures, with counts of what was left out."""
    parts = [f"{count} {reason}" for reason, count in left_out.items()]
    others = f" (left out: {', '.join(parts)})" if parts else ""
    return f'source: there are no pictures at "{source}"{others}.'


def _names_of(folder: Path, within: str, on_error: Callable[[OSError], object]) -> Iterator[str]:
    """Keys of what lies directly in the folder `within`, those of folders with a slash, in order.

    Keys below a folder are compared with their slash, and unreadable ones as they are reported.
    """
    try:
        with os.scandir(folder / within) as found:
            names = [item.name + "/" * item.is_dir() for item in found]
    except OSError as error:
        on_error(error)
        return iter(())
    return iter([within + name for name in sorted(names, key=printable_key)])


def _reason_to_pass_by(folder: Path) -> LeftOut | None:
    if is_hidden(folder.name):
        return LeftOut.HIDDEN
    return LeftOut.LINKED_FOLDER if folder.is_symlink() else None


def _reason_to_leave(file: Path) -> LeftOut | None:
    if is_hidden(file.name):
        return LeftOut.HIDDEN
    return None if file.is_file() else LeftOut.NO_REGULAR_FILE  # a pipe would be waited for
