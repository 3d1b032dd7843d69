"""Files of the table that a run makes of its own rows, while it has them at hand.

Whoever writes the table later takes such a file as it is, where no other run has rows among its
keys. So most rows of a large run are never read again for the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.holdings import Sums
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Row
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.tables.index_table import index_table

# A range is cut where it has this many rows, but not before it has twice as many.
TABLE_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A file with all rows of a run from the key `first` to the key `last`; nobody reads it yet."""

    first: str
    last: str
    table: IndexTable
    sums: Sums

    def to_document(self) -> dict[str, object]:
        return {
            "first": self.first,
            "last": self.last,
            "table": asdict(self.table),
            "sums": self.sums.to_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        table, sums = IndexTable(**document["table"]), Sums.from_document(document["sums"])
        return cls(document["first"], document["last"], table, sums)


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a run has drafted.

    Attributes:
        part_key: The run's part of the index.
        tables: All rows of that part, in the order of keys.
        copy: Copies an object in the store, from one key to another.
    """

    part_key: str
    tables: Sequence[TableDraft]
    copy: Callable[[str, str], None]


NO_DRAFTS = Drafts("", (), lambda key, to: None)


def drafted(
    rows: Iterable[Row],
    store: ObjectStore,
    folder: str,
    shards: Mapping[str, DatasetShard],
    drafts: list[TableDraft],
) -> Iterator[Row]:
    """The rows of a run, unchanged; their drafts are written below `folder` and added to `drafts`.

    `shards` must have the dataset shards that a row names when it is read.
    """
    held: list[Row] = []
    for row in rows:
        yield row
        held.append(row)
        if len(held) == TABLE_ROWS:
            drafts.append(_written_draft(store, folder, held, shards))
            held.clear()
    if held:
        drafts.append(_written_draft(store, folder, held, shards))


def _written_draft(
    store: ObjectStore, folder: str, rows: Sequence[Row], shards: Mapping[str, DatasetShard]
) -> TableDraft:
    first, last = rows[0][0], rows[-1][0]
    table, sums = written_table(store, folder, first, rows, shards)
    return TableDraft(first, last, table, sums)


def written_table(
    store: ObjectStore,
    folder: str,
    name: str,
    rows: Sequence[Row],
    shards: Mapping[str, DatasetShard],
) -> tuple[IndexTable, Sums]:
    """Write a file of rows that count, named after the digest of `name`, and add them up."""
    counting = [row for row in rows if not row[1].is_pruned]
    body = index_table(counting, shards)
    key = table_key(folder, name)
    store.write(key, body)
    sums = Sums()
    sums.add((entry for _, entry in counting), shards)
    return IndexTable(key, len(body), hashlib.sha256(body).hexdigest()), sums


def table_key(folder: str, name: str) -> str:
    """The key of a file of the table, named after the digest of `name`."""
    return f"{folder}{hashlib.sha256(name.encode()).hexdigest()[:16]}.parquet"
