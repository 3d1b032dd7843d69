"""A lock on an output folder: whoever holds it knows that earlier runs are over."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from imagemill.errors import UsageError
from imagemill.paths import escaped
from imagemill_contract.keys import DATASET, INDEX

LOCK_FILE = ".imagemill.lock"  # stays: a file that is removed could be locked twice


class Lock(Enum):
    """The result of trying to lock a folder."""

    HELD = "by this process"
    TAKEN = "by another process"
    NONE = "the file system has no locks, or the folder cannot be written"


@contextmanager
def output_lock(out: Path) -> Iterator[Lock]:
    """Try to lock a folder until the block, or the process, ends."""
    try:
        file = (out / LOCK_FILE).open("a")
    except OSError:
        yield Lock.NONE
        return
    with file:
        yield _locked(file.fileno())


@contextmanager
def away_from_runs(out: str) -> Iterator[None]:
    """Hold the lock on results in a folder of this machine, to which `out` or its parent may lead.

    Raises UsageError if a run is going on there.
    """
    folder = _results_in(Path(out))
    if not folder.is_dir():
        yield
        return
    with output_lock(folder) as lock:
        if lock is Lock.TAKEN:
            raise UsageError(
                f'OUT: a run into "{escaped(out)}" is going on, or another command is at work '
                "there. Wait for its end."
            )
        yield


def _results_in(out: Path) -> Path:
    """The folder itself, or its parent if it is the `dataset` folder of results."""
    above = out.resolve().parent
    is_inner = out.resolve() == above / DATASET and (above / INDEX).is_dir()
    return above if is_inner and not (out / INDEX).is_dir() else out


def _locked(descriptor: int) -> Lock:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.TAKEN
    except OSError:
        return Lock.NONE
    return Lock.HELD
