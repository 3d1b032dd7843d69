"""The tool's exit codes, and its errors, each of which is one sentence for a person."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of `imagemill`."""

    DONE = 0  # also where pictures were rejected
    FAILED = 1  # a run, a dataset that is damaged, a stack that is broken
    NOT_POSSIBLE = 2  # nothing was started; typer's code for options that it does not know
    STOPPED = 130  # by Ctrl-C, as shells count it
    TERMINATED = 143  # by SIGTERM, as shells count it


class ToolError(Exception):
    """Base of the tool's errors.

    ToolError
    ├── UsageError         the command cannot be carried out
    ├── RunFailedError     what was started did not succeed
    └── EngineLostError    the engine died, or does not answer
    """

    exit_code: ClassVar[ExitCode]


class UsageError(ToolError):
    """The command cannot be carried out. Nothing was started."""

    exit_code = ExitCode.NOT_POSSIBLE


class RunFailedError(ToolError):
    """What was started did not succeed."""

    exit_code = ExitCode.FAILED


class EngineLostError(ToolError):
    """The engine has died, or does not answer as it should."""

    exit_code = ExitCode.FAILED
