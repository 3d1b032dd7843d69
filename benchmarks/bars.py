"""Bars: figures that a benchmark must reach. Scripts say them; `make bench` shows them in a table.

For example `say("wall of files over that of the Pillow pool", 0.81, at_most=0.85)`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

# The file that `make bench` collects bars in; without it they are only printed.
VARIABLE = "IMAGEMILL_BENCH_BARS"


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that was measured, and the limit that it must keep."""

    what: str
    found: float
    at_most: float | None = None
    at_least: float | None = None

    def is_kept(self) -> bool:
        over = self.at_most is not None and self.found > self.at_most
        under = self.at_least is not None and self.found < self.at_least
        return not over and not under

    def limit(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "no limit" if self.at_least is None else f"at least {self.at_least:g}"


def say(
    what: str, found: float, *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print a bar, and leave it for the table of `make bench`."""
    bar = Bar(what, found, at_most, at_least)
    print(f"{'kept' if bar.is_kept() else 'MISSED'}: {what}: {bar.found:.3f}, {bar.limit()}")
    if VARIABLE in os.environ:
        with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(bar)) + "\n")


def said(file: Path) -> list[Bar]:
    """The bars that scripts have left."""
    if not file.exists():
        return []
    return [Bar(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def table(bars: Iterable[Bar]) -> str:
    rows = [
        f"| {bar.what} | {bar.found:.3f} | {bar.limit()} | {'yes' if bar.is_kept() else '**no**'} |"
        for bar in bars
    ]
    return "\n".join(["| bar | found | must be | kept |", "|---|---|---|---|", *rows])
