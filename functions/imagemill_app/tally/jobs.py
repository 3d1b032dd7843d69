"""What the jobs of a stage have used: sums, how their times are spread, and the slowest ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill_app.tally.smallest import Row, Smallest
from imagemill_app.tally.timeline import Timeline
from imagemill_contract.reporting.sampling import draw_text, drawing
from imagemill_contract.reporting.usage import Usage

MAX_SLOWEST = 12
MAX_DRAWN = 240
_LONGEST_MILLISECONDS = 10**12


@dataclass(slots=True)
class Jobs:
    """The jobs of one stage.

    Attributes:
        count: How many jobs have said what they used.
        usage: The sum of it.
        times: How many jobs have how many binary digits in their milliseconds.
        timeline: When how many objects were done.
    """

    count: int = 0
    usage: Usage = field(default_factory=Usage)
    times: Counter[int] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=Timeline)
    _slowest: Smallest = field(default_factory=lambda: Smallest(MAX_SLOWEST))
    _drawn: Smallest = field(default_factory=lambda: Smallest(MAX_DRAWN))

    def add(self, shard_id: str, usage: Usage, objects: int) -> None:
        """Count a job over `objects`, with all its attempts."""
        self.count += 1
        self.usage = self.usage.plus(usage)
        milliseconds = round(usage.seconds * 1000)
        self.times[milliseconds.bit_length()] += 1
        if usage.began:
            self.timeline.add(usage.began, usage.ended, objects)
        row = {
            "shard_id": shard_id,
            "objects": objects,
            "seconds": round(usage.seconds, 3),
            "cpu_seconds": round(usage.cpu_seconds, 3),
            "attempts": usage.attempts,
        }
        self._slowest.add(row, f"{_LONGEST_MILLISECONDS - milliseconds:013d}", shard_id)
        self._drawn.add(row, draw_text(drawing("")(shard_id)), shard_id)

    def merge(self, other: Jobs) -> None:
        self.count += other.count
        self.usage = self.usage.plus(other.usage)
        self.times.update(other.times)
        self.timeline.merge(other.timeline)
        self._slowest.merge(other._slowest)
        self._drawn.merge(other._drawn)

    def slowest(self) -> list[Row]:
        """The jobs that took longest, the longest first."""
        return self._slowest.rows()

    def drawn(self) -> list[Row]:
        """Jobs drawn by lot, in the order of their shards."""
        return sorted(self._drawn.rows(), key=lambda row: str(row["shard_id"]))

    def to_document(self) -> dict[str, object]:
        return {
            "count": self.count,
            "usage": self.usage.to_document(),
            "times": {str(digits): count for digits, count in sorted(self.times.items())},
            "timeline": self.timeline.to_document(),
            "slowest": self._slowest.to_document(),
            "drawn": self._drawn.to_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Jobs:
        return cls(
            document["count"],
            Usage.from_document(document["usage"]),
            Counter({int(digits): count for digits, count in document["times"].items()}),
            Timeline.from_document(document["timeline"]),
            Smallest.from_document(MAX_SLOWEST, document["slowest"]),
            Smallest.from_document(MAX_DRAWN, document["drawn"]),
        )
