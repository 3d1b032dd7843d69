"""Ranges of keys: each has a file of the table, and what its rows add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.holdings import Holdings, Sums
from imagemill_dataset.shards import DatasetShard

VERSION = 5  # since there is the column `scores`


@dataclass(frozen=True, slots=True)
class TableRange:
    """The keys after `after` and up to `until` (None: all that follow), and their file."""

    after: str
    until: str | None
    table: IndexTable
    sums: Sums

    def is_up_to(self, key: str) -> bool:
        """Whether it ends at a key or before it."""
        return self.until is not None and self.until <= key


@dataclass(frozen=True, slots=True)
class MissingRange:
    """A range of keys without a file."""

    after: str
    until: str | None


@dataclass(frozen=True, slots=True)
class IndexTables:
    """All ranges, which cover all keys and are in order, and the parts they were made from.

    While they are written, ranges may be missing. Then `begun` has the parts that a writer makes
    them from, and those up to `finished`, a key, are.
    """

    ranges: Sequence[TableRange] = ()
    parts: frozenset[str] = field(default_factory=frozenset)
    begun: frozenset[str] = field(default_factory=frozenset)
    finished: str = ""

    def holdings(self, shards: Mapping[str, DatasetShard]) -> Holdings:
        sums = Sums()
        for part in self.ranges:
            sums.merge(part.sums)
        return Holdings(sums, shards)

    @property
    def tables(self) -> list[IndexTable]:
        return [part.table for part in self.ranges]

    def pieces(self) -> Iterator[TableRange | MissingRange]:
        """Ranges that cover all keys, in order."""
        after: str | None = ""
        for part in self.ranges:
            if part.after != after:
                yield MissingRange(after or "", part.after)
            yield part
            after = part.until
        if after is not None:
            yield MissingRange(after, None)

    def to_document(self) -> dict[str, object]:
        ranges = [
            {
                "after": part.after,
                "until": part.until,
                "table": asdict(part.table),
                "sums": part.sums.to_document(),
            }
            for part in self.ranges
        ]
        begun = {"begun": sorted(self.begun), "finished": self.finished} if self.begun else {}
        return {"v": VERSION, "parts": sorted(self.parts), "ranges": ranges, **begun}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The tables; none, if another version has written them."""
        if document["v"] != VERSION:
            return cls()
        return cls(
            [
                TableRange(
                    part["after"],
                    part["until"],
                    IndexTable(**part["table"]),
                    Sums.from_document(part["sums"]),
                )
                for part in document["ranges"]
            ],
            frozenset(document["parts"]),
            frozenset(document.get("begun", ())),
            document.get("finished", ""),
        )
