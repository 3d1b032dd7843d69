"""What charts show, as numbers between 0 and 100: the page draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill_app.page import words

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline of SVG whose box is 100 wide and 100 high, y pointing down."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class Throughput:
    """Pictures per second over the time of a run."""

    lines: list[Line]
    most: float
    seconds: float


def bars(rows: Sequence[tuple[str, float, str]]) -> list[Bar]:
    """Bars, the longest of which is 100 long, from label, amount and text."""
    most = max((amount for _, amount, _ in rows), default=0) or 1
    return [Bar(label, round(100 * amount / most, 2), text) for label, amount, text in rows]


def sizes(histogram: Mapping[str, int]) -> list[Bar]:
    """How many objects have which size; bins of two powers of two."""
    bins: dict[int, int] = {}
    for digits, count in histogram.items():
        first = max(int(digits) - 1, 0) // 2 * 2
        bins[first] = bins.get(first, 0) + count
    if not bins:
        return []
    places = range(min(bins), max(bins) + 1, 2)
    rows = [
        (words.binary_size(1 << place), bins.get(place, 0), words.count(bins.get(place, 0)))
        for place in places
    ]
    return bars(rows)


def formats(counts: Mapping[str, int]) -> list[Bar]:
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return bars([(name, count, words.count(count)) for name, count in found])


def throughput(jobs: Mapping[str, Row]) -> Throughput | None:
    """A line for each stage; None if no job has said when it ran."""
    timelines = {stage: row["timeline"] for stage, row in jobs.items() if row["timeline"]["bins"]}
    if not timelines:
        return None
    width = max(timeline["width_seconds"] for timeline in timelines.values())
    rates = {stage: _rates(timeline, width) for stage, timeline in timelines.items()}
    numbers = [number for found in rates.values() for number in found]
    first, last = min(numbers), max(numbers)
    most = max(rate for found in rates.values() for rate in found.values()) or 1.0
    lines = [Line(stage, _points(found, first, last, most)) for stage, found in rates.items()]
    return Throughput(lines, most, (last - first + 1) * width)


def job_bars(rows: Sequence[Row]) -> list[Bar]:
    """One bar for each job, as high as its time."""
    return bars(
        [
            (
                f"shard {row['shard_id']}",
                row["seconds"],
                f"{words.span(row['seconds'])}, {words.count(row['objects'])} pictures",
            )
            for row in rows
        ]
    )


def _rates(timeline: Row, width: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for number, objects in timeline["bins"].items():
        place = int(number) * timeline["width_seconds"] // width
        found[place] = found.get(place, 0.0) + objects / width
    return found


def _points(rates: Mapping[int, float], first: int, last: int, most: float) -> str:
    """Steps: each bin is a level piece."""
    bins = last - first + 1
    points = ["0,100"]
    for place in range(bins):
        y = 100 - 96 * rates.get(first + place, 0.0) / most
        points += [f"{100 * place / bins:.2f},{y:.2f}", f"{100 * (place + 1) / bins:.2f},{y:.2f}"]
    return " ".join([*points, "100,100"])


def nice(number: float) -> str:
    """A rate with few digits."""
    if number >= 100:
        return words.count(number)
    return f"{number:.{max(0, 1 - math.floor(math.log10(max(number, 0.1))))}f}"
