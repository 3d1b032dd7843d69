"""Signals that end the tool."""

from __future__ import annotations

import signal
from types import FrameType

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


def terminate_as_exit() -> None:
    """Make SIGTERM leave through the `with` statements, as Ctrl-C does."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(SIGTERM_EXIT_CODE)

    signal.signal(signal.SIGTERM, leave)
