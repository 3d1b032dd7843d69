"""The table of all pictures, `dataset/index.parquet/`: one file for each range of keys.

A run writes only the files of ranges in which its part of the index has rows. `index/tables.json`
says which ranges there are, from which parts of the index they were made, and what their rows add
up to. A file is named after the key that its range begins after, so whoever writes it again
replaces it. Of a writer that was killed the next one takes over the ranges that it has finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from imagemill_contract.keys import DATASET, INDEX_TABLE, INDEX_TABLES
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import StoredIndex
from imagemill_dataset.tables import drafts as drafting
from imagemill_dataset.tables.drafts import NO_DRAFTS, Drafts, TableDraft, table_key, written_table
from imagemill_dataset.tables.occupied import Occupied
from imagemill_dataset.tables.ranges import IndexTables, MissingRange, TableRange

# So many files take half a minute. What a killed writer has done since is done again.
FILES_BETWEEN_NOTES = 60

_FOLDER = f"{INDEX_TABLE}/"


def written_tables(
    store: ObjectStore, index: StoredIndex, drafts: Drafts = NO_DRAFTS
) -> IndexTables:
    """Write what has changed of the table since it was written last, and return all of it."""
    known, keys = _known(store), frozenset(index.part_keys)
    finished = known.finished if known.begun == keys else ""
    new = [part for part in index.parts if part.key not in known.parts]
    is_older, changed = known.parts <= keys, Occupied.by(new, store.read)
    writer = _Writer(store, index, drafts)
    ranges: list[TableRange] = []
    pieces, noted = list(known.pieces()), 0
    for place, piece in enumerate(pieces, 1):
        if isinstance(piece, TableRange) and (
            piece.is_up_to(finished) or (is_older and not changed.has_any(piece.after, piece.until))
        ):
            ranges.append(piece)
            continue
        rest = [later for later in pieces[place:] if isinstance(later, TableRange)]
        for written in writer.ranges(piece):
            ranges.append(written)
            noted += 1
            if noted % FILES_BETWEEN_NOTES == 0 and written.until is not None:
                _note(store, IndexTables([*ranges, *rest], known.parts, keys, written.until))
    found = IndexTables(ranges, keys)
    _note(store, found)
    return found


class _Writer:
    """Writes the files of ranges: from drafts where it can, otherwise from the index."""

    def __init__(self, store: ObjectStore, index: StoredIndex, drafts: Drafts) -> None:
        self._store, self._index, self._copy = store, index, drafts.copy
        is_counted = drafts.part_key in index.part_keys
        self._drafts = drafts.tables if is_counted else ()
        others = [part for part in index.parts if part.key != drafts.part_key]
        self._others = Occupied.by(others if self._drafts else (), store.read)

    def ranges(self, piece: TableRange | MissingRange) -> Iterator[TableRange]:
        """The ranges that a piece is cut into."""
        after, last = piece.after, None
        for begin, draft in self._usable(piece):
            if last:
                yield last
            if after < begin:
                yield from self._from_index(after, begin)
            last = self._copied(begin, draft)
            after = draft.last
        if last is None:
            yield from self._from_index(after, piece.until)
        elif self._is_empty(after, piece.until):
            yield replace(last, until=piece.until)
        else:
            yield last
            yield from self._from_index(after, piece.until)

    def _usable(self, piece: TableRange | MissingRange) -> Iterator[tuple[str, TableDraft]]:
        """Drafts within a piece that no other part has rows in, and where their ranges begin."""
        before = ""
        for draft in self._drafts:
            begin, before = max(before, piece.after), draft.last
            is_inside = draft.first > piece.after and (
                piece.until is None or draft.last <= piece.until
            )
            if is_inside and not self._others.has_any(begin, draft.last):
                yield begin, draft

    def _is_empty(self, after: str, until: str | None) -> bool:
        return next(self._index.rows(after, until), None) is None

    def _copied(self, after: str, draft: TableDraft) -> TableRange:
        key = table_key(_FOLDER, after)
        self._copy(draft.table.key, key)
        return TableRange(after, draft.last, replace(draft.table, key=key), draft.sums)

    def _from_index(self, after: str, until: str | None) -> Iterator[TableRange]:
        rows, most = self._index.rows(after, until), drafting.TABLE_ROWS
        held = list(islice(rows, 2 * most + 1))
        while len(held) > 2 * most:
            last = held[most - 1][0]
            yield self._written(held[:most], after, last)
            held, after = held[most:] + list(islice(rows, most)), last
        yield self._written(held, after, until)

    def _written(self, rows: Sequence[Row], after: str, until: str | None) -> TableRange:
        table, sums = written_table(self._store, _FOLDER, after, rows, self._index.shards)
        return TableRange(after, until, table, sums)


def _known(store: ObjectStore) -> IndexTables:
    """What was written last; nothing, if a version of old has written it as one file."""
    try:
        return IndexTables.from_document(json.loads(store.read(INDEX_TABLES)))
    except FileNotFoundError:
        if INDEX_TABLE in store.keys(DATASET):
            store.remove([INDEX_TABLE])
        return IndexTables()


def _note(store: ObjectStore, found: IndexTables) -> None:
    store.write(INDEX_TABLES, json.dumps(found.to_document(), ensure_ascii=False).encode())
