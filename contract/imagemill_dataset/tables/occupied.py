"""Where parts of the index have rows, without reading their leaves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from imagemill_dataset.parts.part import Part, Read


@dataclass(frozen=True, slots=True)
class Occupied:
    """First and last keys of spans, in order, for each part: leaves, or else single rows."""

    spans: Sequence[tuple[Sequence[str], Sequence[str]]]

    @classmethod
    def by(cls, parts: Iterable[Part], read: Read) -> Self:
        return cls([_spans_of(part, read) for part in parts])

    def has_any(self, after: str, until: str | None) -> bool:
        """Whether there may be a row with a key after `after` and up to `until` (None: no end)."""
        return any(
            at < len(lasts) and (until is None or firsts[at] <= until)
            for firsts, lasts in self.spans
            for at in [bisect_right(lasts, after)]
        )


def _spans_of(part: Part, read: Read) -> tuple[Sequence[str], Sequence[str]]:
    if part.leaves:
        return [leaf.first for leaf in part.leaves], [leaf.last for leaf in part.leaves]
    keys = [key for key, _ in part.rows(read, "", None)]
    return keys, keys
