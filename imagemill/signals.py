"""Signals that end the tool."""

from __future__ import annotations

import signal
from types import FrameType

from imagemill.errors import ExitCode


def terminate_as_exit() -> None:
    """Let SIGTERM raise SystemExit, so that `with` blocks clean up, as after Ctrl-C."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(ExitCode.TERMINATED)

    signal.signal(signal.SIGTERM, leave)
