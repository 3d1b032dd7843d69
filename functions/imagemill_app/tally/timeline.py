"""How many objects were done in which seconds, in bins that widen as the run gets longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BINS = 128


@dataclass(slots=True)
class Timeline:
    """Objects done over time.

    Attributes:
        width_seconds: Of a bin; a power of two.
        bins: Objects by the number of their bin: bin `n` begins at `n * width_seconds` since 1970.
    """

    width_seconds: int = 1
    bins: dict[int, float] = field(default_factory=dict)

    def add(self, began: float, ended: float, objects: int) -> None:
        """Spread what a job has done evenly over the time that it took."""
        self._widen(began, ended)
        width = self.width_seconds
        first, last = int(began // width), int(ended // width)
        rate = objects / max(ended - began, 1e-9)
        for number in range(first, last + 1):
            inside = min(ended, (number + 1) * width) - max(began, number * width)
            share = objects if first == last else rate * inside
            self.bins[number] = self.bins.get(number, 0.0) + share

    def merge(self, other: Timeline) -> None:
        while self.width_seconds < other.width_seconds:
            self._double()
        for number, objects in other.bins.items():
            wider = number * other.width_seconds // self.width_seconds
            self.bins[wider] = self.bins.get(wider, 0.0) + objects
        self._widen()

    def to_document(self) -> dict[str, object]:
        bins = {str(number): round(objects, 3) for number, objects in sorted(self.bins.items())}
        return {"width_seconds": self.width_seconds, "bins": bins}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Timeline:
        bins = {int(number): float(objects) for number, objects in document["bins"].items()}
        return cls(document["width_seconds"], bins)

    def _widen(self, *moments: float) -> None:
        """Double the width until all bins, and those of the moments, are few."""
        while True:
            numbers = [int(moment // self.width_seconds) for moment in moments] + list(self.bins)
            if not numbers or max(numbers) - min(numbers) < MAX_BINS:
                return
            self._double()

    def _double(self) -> None:
        self.width_seconds *= 2
        halved: dict[int, float] = {}
        for number, objects in self.bins.items():
            halved[number // 2] = halved.get(number // 2, 0.0) + objects
        self.bins = halved
