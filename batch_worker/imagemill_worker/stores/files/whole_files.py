"""What it takes for a file to appear under its name only when it is whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

# An unnamed file, which disappears with the process that writes it (Linux, most file systems).
UNNAMED = getattr(os, "O_TMPFILE", 0)


def link_new(name: str, body: bytes) -> bool:
    """Write a file where there is none, without a name until it is whole.

    Whether that was done: not if its folder is missing, or whatever else the reason is.
    """
    try:
        descriptor = os.open(name.rpartition("/")[0], UNNAMED | os.O_WRONLY, 0o666)
    except OSError:
        return False
    try:
        if os.write(descriptor, body) != len(body):
            return False
        link_unnamed(descriptor, name)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def holds(path: Path, body: bytes) -> bool:
    """Whether the file already has this content, as when a job is retried."""
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except OSError:
        return False


def named(descriptor: int, path: Path, part: Path) -> bool:
    """Link an unnamed file to `path`, or to `part` if there is a file at `path` already."""
    try:
        link_unnamed(descriptor, path)
    except FileExistsError:
        link_unnamed(descriptor, part)
        return False
    return True


def link_unnamed(descriptor: int, path: Path | str) -> None:
    """Give an unnamed file a name. Raises FileExistsError if there is such a file."""
    # without a descriptor it would link the link
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)


def fill(file: BinaryIO, body: bytes) -> None:
    """Write all of a file, so that it survives a crash of the machine."""
    file.write(body)
    file.flush()
    os.fsync(file.fileno())


def part_of(path: Path) -> Path:
    """A name beside `path` that no other writer has."""
    return path.with_name(f".{os.urandom(12).hex()}.part")
