"""The contract's error tree, and the worker's exit codes, which the template and the tool read.

Every message is one sentence for a person.
"""

from __future__ import annotations

from enum import IntEnum


class ContractError(ValueError):
    """Something that crosses the wire is not what the contract says."""


class RequestError(ContractError):
    """The request cannot be carried out. Nothing was started."""


class RecipeError(RequestError):
    """A recipe field has a name or a value that is not allowed."""


class LocationError(RequestError):
    """A source or an output is not a usable `s3://` or `file://` address."""


class DocumentError(ContractError):
    """A run document has a version or shape that this code cannot read."""


class ModelError(RequestError):
    """A model cannot be used as the recipe says."""


class WorkerExit(IntEnum):
    """Exit codes of `python -m imagemill_worker`."""

    DONE = 0  # every object has its outcome, also where pictures were rejected
    BUG = 1
    BAD_ARGUMENTS = 2  # or bad documents; argparse's own code too
    DAMAGED = 3  # `verify` has found a dataset shard that is not whole
    TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
