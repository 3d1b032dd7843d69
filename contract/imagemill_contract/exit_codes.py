"""The worker's exit codes, which the template's retry rules and the tool read."""

from __future__ import annotations

from enum import IntEnum


class WorkerExit(IntEnum):
    """Exit codes of `python -m imagemill_worker`."""

    DONE = 0  # every object has its outcome, also where pictures were rejected
    BUG = 1
    BAD_ARGUMENTS = 2  # or bad documents; argparse's own code too
    DAMAGED = 3  # `verify` has found a dataset shard that is not whole
    TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
