"""The rule of a field that holds a number which need not be whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    least: int
    most: int

    @property
    def allowed(self) -> str:
        return f"a number from {self.least} to {self.most}"

    def read(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(value)
        if not self.least <= value <= self.most:  # neither does NaN
            raise ValueError(value)
        return float(value)
