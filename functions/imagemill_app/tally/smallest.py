"""The rows with the smallest names: a sample that merges, of a fixed size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest

Row = Mapping[str, object]

# Larger than any rank in use: what is below it may be kept.
_NO_LIMIT = ("\U0010ffff",)


@dataclass(slots=True)
class Smallest:
    """At most `limit` rows: those with the smallest ranks. Ranks are unique."""

    limit: int
    _rows: dict[tuple[str, ...], Row] = field(default_factory=dict)
    _bound: tuple[str, ...] = _NO_LIMIT

    def wants(self, *rank: str) -> bool:
        """Whether a row of this rank would be kept: ask before building it."""
        return rank < self._bound

    def add(self, row: Row, *rank: str) -> None:
        if rank >= self._bound:
            return
        self._rows[rank] = row
        if len(self._rows) >= 2 * self.limit + 16:
            self._cut()

    def merge(self, other: Smallest) -> None:
        self._rows |= other._rows
        self._cut()

    def rows(self) -> list[Row]:
        """The rows, smallest rank first."""
        self._cut()
        return list(self._rows.values())

    def to_document(self) -> list[list[object]]:
        self._cut()
        return [[*rank, row] for rank, row in self._rows.items()]

    @classmethod
    def from_document(cls, limit: int, document: Iterable[list[object]]) -> Smallest:
        found = cls(limit)
        for *rank, row in document:
            found.add(row, *map(str, rank))  # type: ignore[arg-type] # rows are objects of JSON
        return found

    def _cut(self) -> None:
        kept = nsmallest(self.limit, self._rows)
        self._rows = {rank: self._rows[rank] for rank in kept}
        if len(kept) == self.limit:
            self._bound = kept[-1] if kept else ()
