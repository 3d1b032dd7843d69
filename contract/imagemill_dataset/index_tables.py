"""The table of all pictures, `dataset/index.parquet/`: one file for each range of keys.

A run writes only the files of ranges in which its part of the index has rows. `index/tables.json`
says which ranges there are, from which parts of the index they were made, and what their rows add
up to. A file is named after the key that its range begins after, so whoever writes it again
replaces it. Of a writer that was killed the next one takes over the ranges that it has finished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from imagemill_contract.keys import DATASET, INDEX_TABLE, INDEX_TABLES
from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.holdings import Holdings, Sums
from imagemill_dataset.files.index_table import index_table
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Part, Row
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.stored_index import StoredIndex

VERSION = 4  # since there is the column `taken`
# A range is cut where it has this many rows, but not before it has twice as many.
TABLE_ROWS = 50_000
# So many files take half a minute. What a killed writer has done since is done again.
FILES_BETWEEN_NOTES = 60


@dataclass(frozen=True, slots=True)
class TableRange:
    """A range of keys, its file, and what its rows add up to."""

    after: str
    until: str | None
    table: IndexTable
    sums: Sums

    def is_up_to(self, key: str) -> bool:
        """Whether it ends at a key or before it."""
        return self.until is not None and self.until <= key

    def has_any_of(self, part: Part, read: Any) -> bool:
        """Whether a part of the index may have rows in the range."""
        if part.leaves:
            return any(
                leaf.last > self.after and (self.until is None or leaf.first <= self.until)
                for leaf in part.leaves
            )
        return next(part.rows(read, self.after, self.until), None) is not None


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


def written_tables(store: ObjectStore, index: StoredIndex) -> IndexTables:
    """Write what has changed of the table since it was written last, and return all of it."""
    known, keys = _known(store), frozenset(index.part_keys)
    finished = known.finished if known.begun == keys else ""
    new = [part for part in index.parts if part.key not in known.parts]
    is_older = known.parts <= keys
    ranges: list[TableRange] = []
    pieces, noted = list(known.pieces()), 0
    for place, piece in enumerate(pieces, 1):
        if isinstance(piece, TableRange) and (
            piece.is_up_to(finished) or (is_older and not _is_touched(piece, new, store))
        ):
            ranges.append(piece)
            continue
        rest = [later for later in pieces[place:] if isinstance(later, TableRange)]
        for written in _written_ranges(store, index, piece.after, piece.until):
            ranges.append(written)
            noted += 1
            if noted % FILES_BETWEEN_NOTES == 0 and written.until is not None:
                so_far = IndexTables([*ranges, *rest], known.parts, keys, written.until)
                store.write(INDEX_TABLES, _encoded(so_far))
    found = IndexTables(ranges, keys)
    store.write(INDEX_TABLES, _encoded(found))
    return found


def _is_touched(part: TableRange, new: Iterable[Part], store: ObjectStore) -> bool:
    return any(part.has_any_of(other, store.read) for other in new)


def _written_ranges(
    store: ObjectStore, index: StoredIndex, after: str, until: str | None
) -> Iterator[TableRange]:
    rows, shards = index.rows(after, until), index.shards
    held = list(islice(rows, 2 * TABLE_ROWS + 1))
    while len(held) > 2 * TABLE_ROWS:
        last = held[TABLE_ROWS - 1][0]
        yield _written_range(store, held[:TABLE_ROWS], shards, after, last)
        held, after = held[TABLE_ROWS:] + list(islice(rows, TABLE_ROWS)), last
    yield _written_range(store, held, shards, after, until)


def _written_range(
    store: ObjectStore,
    rows: Sequence[Row],
    shards: Mapping[str, DatasetShard],
    after: str,
    until: str | None,
) -> TableRange:
    body = index_table(rows, shards)
    key = f"{INDEX_TABLE}/{hashlib.sha256(after.encode()).hexdigest()[:16]}.parquet"
    store.write(key, body)
    held = Holdings.of_entries((entry for _, entry in rows), shards)
    digest = hashlib.sha256(body).hexdigest()
    return TableRange(after, until, IndexTable(key, len(body), digest), held.sums)


def _known(store: ObjectStore) -> IndexTables:
    """What was written last; nothing, if a version of old has written it as one file."""
    try:
        document = json.loads(store.read(INDEX_TABLES))
    except FileNotFoundError:
        if INDEX_TABLE in store.keys(DATASET):
            store.remove([INDEX_TABLE])
        return IndexTables()
    if document["v"] != VERSION:
        return IndexTables()
    return IndexTables(
        list(map(_range_of, document["ranges"])),
        frozenset(document["parts"]),
        frozenset(document.get("begun", ())),
        document.get("finished", ""),
    )


def _range_of(document: Mapping[str, Any]) -> TableRange:
    return TableRange(
        document["after"],
        document["until"],
        IndexTable(**document["table"]),
        Sums.from_document(document["sums"]),
    )


def _encoded(found: IndexTables) -> bytes:
    ranges = [
        {
            "after": part.after,
            "until": part.until,
            "table": {
                "key": part.table.key,
                "bytes": part.table.bytes,
                "sha256": part.table.sha256,
            },
            "sums": part.sums.to_document(),
        }
        for part in found.ranges
    ]
    begun = {"begun": sorted(found.begun), "finished": found.finished} if found.begun else {}
    document = {"v": VERSION, "parts": sorted(found.parts), "ranges": ranges, **begun}
    return json.dumps(document, ensure_ascii=False).encode()
