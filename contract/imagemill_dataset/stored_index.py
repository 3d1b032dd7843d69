"""Reads the index from its store, adds parts to it, and merges them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from imagemill_contract.index_keys import index_key, merged_index_key
from imagemill_contract.keys import INDEX
from imagemill_dataset.index import Entry, Index, IndexedRun, encode_part
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.upkeep_lock import is_locked

# A plan reads all parts. This many take a second or two; more are merged into one.
MAX_PARTS = 64
MAX_READS = 5

_NOTHING: Mapping[str, bytes] = {}


def part_keys(store: ObjectStore) -> list[str]:
    """Keys of all parts, in order; a file that a killed writer has left is none."""
    return [key for key in store.keys(INDEX) if key.endswith(".jsonl.gz")]


def read_index(store: ObjectStore, more: Mapping[str, bytes] = _NOTHING) -> Index:
    """All parts together. Parts that another run merges meanwhile are read in their new form.

    `more` holds parts by their keys that count even if they are not in the store.

    Raises DocumentError for a part that cannot be read, and FileNotFoundError if parts disappear
    faster than they can be read.
    """
    for _ in range(MAX_READS - 1):
        with suppress(FileNotFoundError):
            return _read(store, more)
    return _read(store, more)


def read_parts(store: ObjectStore, but_for: Collection[str]) -> list[tuple[str, bytes]]:
    """All parts with their keys, in order, but for those of some keys. Raises as `read_index`."""
    for _ in range(MAX_READS - 1):
        with suppress(FileNotFoundError):
            return _parts(store, but_for)
    return _parts(store, but_for)


def write_index_part(
    store: ObjectStore,
    run: IndexedRun,
    entries: Mapping[str, Entry],
    shards: Iterable[DatasetShard] = (),
) -> None:
    """Add the part of a run; a run without objects adds nothing."""
    if entries:
        store.write(index_key(run.started, run.run_id), encode_part(entries, shards))


def merge_parts(store: ObjectStore) -> None:
    """Merge many parts into one. Other runs may go on: rows are written before parts are removed.

    The key depends on what was merged, so two merges at once never write different rows to one key.
    While a compaction is on nothing is merged: it replaces the parts that it has read.
    """
    if len(part_keys(store)) <= MAX_PARTS or is_locked(store):
        return
    index = read_index(store)
    if not index.entries:
        return
    last = max((entry.run for entry in index.entries.values()), key=lambda run: run.started)
    merged_key = merged_index_key(last.started, last.run_id, index.part_keys)
    store.write(merged_key, index.encode())
    store.remove(key for key in index.part_keys if key != merged_key)


def _parts(store: ObjectStore, but_for: Collection[str]) -> list[tuple[str, bytes]]:
    return [(key, store.read(key)) for key in part_keys(store) if key not in but_for]


def _read(store: ObjectStore, more: Mapping[str, bytes]) -> Index:
    keys = sorted({*part_keys(store), *more})
    return Index.of_parts((key, more[key] if key in more else store.read(key)) for key in keys)
