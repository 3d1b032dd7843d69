"""Waiting for what is to come, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# Tells a hang from a slow machine; below pytest's own limit, so that the sentence is seen.
PATIENCE_SECONDS = 600.0


def until(ask: Callable[[], Found], what: str, pause_seconds: float = 0.05) -> Found:
    """Ask again and again; returns the first answer that counts as true.

    `what` is the sentence that becomes true. Raises AssertionError when it never does.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} seconds: {what}"
        time.sleep(pause_seconds)
    return found
