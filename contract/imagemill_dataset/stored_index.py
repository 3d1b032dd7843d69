"""The index in its store: reads it range by range, and adds parts to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter

from imagemill_contract.index_keys import index_key, leaves_stem
from imagemill_contract.keys import INDEX
from imagemill_dataset.index import Entry, Index, IndexedRun
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.merged_rows import counting_rows
from imagemill_dataset.parts.part import Part, Row
from imagemill_dataset.parts.written_part import written_part
from imagemill_dataset.shards import DatasetShard

MAX_READS = 5

_NOTHING: Mapping[str, bytes] = {}


@dataclass(slots=True)
class StoredIndex:
    """The index, of which only the headers of parts are held.

    Attributes:
        store: Where it is.
        parts: In the order of their keys, which is the order in which their rows count.
        more: Parts by their keys that count even if they are not in the store.
    """

    store: ObjectStore
    parts: list[Part]
    more: Mapping[str, bytes]

    @classmethod
    def opened(cls, store: ObjectStore, more: Mapping[str, bytes] = _NOTHING) -> StoredIndex:
        """Read the headers of all parts; of parts that are merged meanwhile, those of the new one.

        Raises DocumentError for a part that cannot be read, and FileNotFoundError if parts
        disappear faster than they can be read.
        """
        for _ in range(MAX_READS - 1):
            with suppress(FileNotFoundError):
                return cls(store, _opened_parts(store, more), more)
        return cls(store, _opened_parts(store, more), more)

    @property
    def part_keys(self) -> list[str]:
        return [part.key for part in self.parts]

    @property
    def run_ids(self) -> frozenset[str]:
        """The runs that have rows, even if none of them counts any more."""
        return frozenset(run.run_id for part in self.parts for run in part.runs)

    @property
    def shards(self) -> dict[str, DatasetShard]:
        """Dataset shards by key, including those whose samples are all superseded."""
        return {shard.key: shard for part in self.parts for shard in part.shards}

    def rows(self, after: str = "", until: str | None = None) -> Iterator[Row]:
        """What counts of the keys after `after` and up to `until` (None: all that follow).

        Keys are in order. If parts are merged meanwhile, the rest is read in its new form.
        """
        for _ in range(MAX_READS - 1):
            try:
                for row in self._rows(after, until):
                    after = row[0]
                    yield row
            except FileNotFoundError:
                self._open_again()
            else:
                return
        yield from self._rows(after, until)

    def rows_of(self, keys: Sequence[str]) -> dict[str, Entry]:
        """What counts of some keys, which are in order."""
        for _ in range(MAX_READS - 1):
            try:
                return dict(self._rows_of(keys))
            except FileNotFoundError:
                self._open_again()
        return dict(self._rows_of(keys))

    def _rows(self, after: str, until: str | None) -> Iterator[Row]:
        return counting_rows([part.rows(self.store.read, after, until) for part in self.parts])

    def _rows_of(self, keys: Sequence[str]) -> Iterator[Row]:
        return counting_rows([part.rows_of(self.store.read, keys) for part in self.parts])

    def _open_again(self) -> None:
        self.parts = StoredIndex.opened(self.store, self.more).parts


def part_keys(store: ObjectStore) -> list[str]:
    """Keys of all parts, in order; a file that a killed writer has left is none."""
    return [key for key in store.keys(INDEX) if key.endswith(".jsonl.gz")]


def read_index(store: ObjectStore, more: Mapping[str, bytes] = _NOTHING) -> Index:
    """All parts together, in memory. Raises as `StoredIndex.opened`."""
    index = StoredIndex.opened(store, more)
    entries = dict(index.rows())
    return Index(entries, index.shards, index.part_keys)


def read_parts(store: ObjectStore, but_for: Collection[str]) -> list[Part]:
    """All parts, in order, but for those of some keys. Raises as `StoredIndex.opened`."""
    return [part for part in StoredIndex.opened(store).parts if part.key not in but_for]


def write_index_part(
    store: ObjectStore,
    run: IndexedRun,
    entries: Mapping[str, Entry],
    shards: Iterable[DatasetShard] = (),
) -> None:
    """Add the part of a run; a run without objects adds nothing."""
    if entries:
        key = index_key(run.started, run.run_id)
        rows = sorted(entries.items(), key=itemgetter(0))
        by_key = {shard.key: shard for shard in shards}
        store.write(key, written_part(store, leaves_stem(key), rows, by_key))


def _opened_parts(store: ObjectStore, more: Mapping[str, bytes]) -> list[Part]:
    keys = sorted({*part_keys(store), *more})
    return [Part.opened(key, more[key] if key in more else store.read(key)) for key in keys]
