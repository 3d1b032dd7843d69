"""A list of runs, for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill.deployed.runs import Run
from imagemill.display.times import duration, exact, moment
from imagemill.errors import UsageError

WIDE = 100
_STYLES = {"succeeded": "green", "failed": "red", "refused": "red", "stopped": "yellow"}


class SortBy(StrEnum):
    """What a list of runs can be sorted by; the largest and the latest come first."""

    TIME = "time"
    IMAGES = "images"
    COST = "cost"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Row:
    """A run and its numbers; None for what is not known.

    Attributes:
        images: How many it had to do.
        dollars: What it cost; of a run that has not ended, what its plan expects.
    """

    run: Run
    source: str | None = None
    images: int | None = None
    rejected: int | None = None
    failed: int | None = None
    dollars: float | None = None

    def to_document(self) -> dict[str, Any]:
        return {
            "run_id": self.run.run_id,
            "state": str(self.run.state),
            "started": exact(self.run.started),
            "ended": exact(self.run.ended),
            "source": self.source,
            "images": self.images,
            "rejected": self.rejected,
            "failed": self.failed,
            "dollars": self.dollars,
        }


_ORDERS: Mapping[SortBy, Callable[[Row], Any]] = {
    SortBy.TIME: lambda row: row.run.started.timestamp() if row.run.started else 0,
    SortBy.IMAGES: lambda row: row.images or 0,
    SortBy.COST: lambda row: row.dollars or 0,
    SortBy.STATE: lambda row: [-ord(letter) for letter in row.run.state],
}


def sort_by(word: str) -> SortBy:
    """What to sort by, as it was typed. Raises UsageError."""
    if word not in set(SortBy):
        raise UsageError(f'--sort: "{word}" is not allowed; it must be one of {", ".join(SortBy)}.')
    return SortBy(word)


def ordered(rows: Sequence[Row], by: SortBy) -> list[Row]:
    """The rows in that order; those that are equal in it by time."""
    by_time = sorted(rows, key=_ORDERS[SortBy.TIME], reverse=True)
    return sorted(by_time, key=_ORDERS[by], reverse=True)


def print_runs(console: Console, rows: Sequence[Row]) -> None:
    """Print a table that fits 80 columns: names of runs have their time in them."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    is_wide = console.width >= WIDE
    table.add_column("run", no_wrap=True)
    table.add_column("state", no_wrap=True)
    if is_wide:
        table.add_column("started")
    for name in ("took", "images", "rejected", "failed", "USD"):
        table.add_column(name, justify="right")
    now = datetime.now(UTC)
    for row in rows:
        run, seconds = row.run, row.run.seconds(now)
        table.add_row(
            run.run_id,
            Text(run.state, style=_STYLES.get(run.state, "")),
            *([moment(run.started) if run.started else ""] if is_wide else ()),
            duration(seconds) if seconds is not None else "",
            *map(_number, (row.images, row.rejected, row.failed)),
            "" if row.dollars is None else f"{row.dollars:.2f}",
        )
    console.print(table)


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
