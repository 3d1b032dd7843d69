"""What can go wrong with the embedded engine.

LocalError
├── EngineError    the engine does not start
│   └── EngineDiedError    its process has ended, while it started or later
├── DeployError    the stack could not be created or updated
└── HookError      the emulator is not the version that the hooks were written for
"""

from __future__ import annotations


class LocalError(Exception):
    """Base of all errors of the embedded engine."""


class EngineError(LocalError):
    """The engine does not start, or its process has ended."""


class EngineDiedError(EngineError):
    """The process of the engine has ended.

    Attributes:
        code: Its exit code; minus the signal that has killed it.
        log: The end of its log.
    """

    def __init__(self, code: int, log: str) -> None:
        super().__init__(f"The engine has ended with code {code}.\n{log}")
        self.code = code
        self.log = log


class DeployError(LocalError):
    """The stack could not be created or updated."""


class HookError(LocalError):
    """A function of the emulator that a hook replaces is missing or has another signature."""
