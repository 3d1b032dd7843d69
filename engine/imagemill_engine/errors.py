"""What can go wrong with the embedded engine.

LocalError
├── EngineError    the engine does not start, or has died
├── DeployError    the stack could not be created or updated
└── HookError      the emulator is not the version that the hooks were written for
"""


class LocalError(Exception):
    """Base of all errors of the embedded engine."""


class EngineError(LocalError):
    """The engine does not start, or has died."""


class DeployError(LocalError):
    """The stack could not be created or updated."""


class HookError(LocalError):
    """A function of the emulator that a hook replaces is missing or has another signature."""
