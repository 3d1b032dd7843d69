"""A lock on an output folder: whoever holds it knows that earlier runs are over."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

LOCK_FILE = ".imagemill.lock"  # stays: a file that is removed could be locked twice


class Lock(Enum):
    """What came of trying to lock a folder."""

    HELD = "by this process"
    TAKEN = "by another process"
    NONE = "the file system has no locks, or the folder cannot be written"


@contextmanager
def output_lock(out: Path) -> Iterator[Lock]:
    """Try to lock a folder, until the block ends or the process does."""
    try:
        file = (out / LOCK_FILE).open("a")
    except OSError:
        yield Lock.NONE
        return
    with file:
        yield _locked(file.fileno())


def _locked(descriptor: int) -> Lock:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.TAKEN
    except OSError:
        return Lock.NONE
    return Lock.HELD
