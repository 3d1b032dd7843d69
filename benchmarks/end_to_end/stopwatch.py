"""Wall and CPU seconds of a command and of every process that it leaves behind."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import wait

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that a command has taken: until it ended, and of all its processes."""

    wall: float
    cpu: float


def adopt_orphans() -> None:
    """Let this process wait for what its children leave behind, so that it counts (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spent(command: Sequence[str], env: Mapping[str, str], *, orphans: bool = False) -> Spent:
    """Run a command. Raises CalledProcessError, with its output, if it fails.

    With `orphans`, what it leaves behind counts, too: this process may have no other children.
    """
    before, began = _children_seconds(), time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    wall = time.monotonic() - began
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
    done.check_returncode()
    with suppress(ChildProcessError):
        while orphans:
            wait()
    return Spent(wall, _children_seconds() - before)


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
