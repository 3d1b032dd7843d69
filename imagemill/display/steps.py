"""How far a worker's command is: one line that changes, in a terminal only."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console


class StepDisplay:
    """Shows events that say how many of the dataset shards are done."""

    def __init__(self, console: Console) -> None:
        self._status = console.status("") if console.is_terminal else None

    def show(self, event: Mapping[str, Any]) -> None:
        if self._status is not None and "done" in event:
            done, shards = event["done"], event["shards"]
            self._status.update(f"{event['event']}: {done:,} of {shards:,} dataset shards")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()
