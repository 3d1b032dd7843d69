"""Merges small parts of the index into one, and removes the leaves of parts that are gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate

from imagemill_contract.index_keys import leaves_stem, merged_index_key
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.parts.merged_rows import counting_rows, needed_rows
from imagemill_dataset.parts.part import Part
from imagemill_dataset.parts.written_part import written_part
from imagemill_dataset.stored_index import StoredIndex
from imagemill_dataset.upkeep_lock import is_locked

# A plan opens all parts. This many take a second or two; more are merged.
MAX_PARTS = 64
# What one function merges in half a minute. Older parts stay as they are, and have leaves.
MAX_MERGED_ROWS = 2_000_000
_BYTES_PER_ROW = 40  # of a document with rows, at least


def merge_parts(store: ObjectStore) -> None:
    """Merge the newest of many parts into one. Other runs may go on.

    Rows are written before parts are removed, and the key depends on what was merged, so two merges
    at once never write different rows to one key. While a compaction is on nothing is merged: it
    replaces the parts that it has read.
    """
    index = StoredIndex.opened(store)
    if len(index.parts) <= MAX_PARTS or is_locked(store):
        return
    merged = _newest(index.parts)
    if len(merged) < 2 or not any(part.runs for part in merged):
        return
    last = max((run for part in merged for run in part.runs), key=lambda run: run.started)
    key = merged_index_key(last.started, last.run_id, [part.key for part in merged])
    streams = [part.rows(store.read, "", None) for part in merged]
    is_all = len(merged) == len(index.parts)
    rows = counting_rows(streams) if is_all else needed_rows(streams)
    shards = {shard.key: shard for part in merged for shard in part.shards}
    store.write(key, written_part(store, leaves_stem(key), rows, shards))
    remove_parts(store, [part for part in merged if part.key != key])


def remove_parts(store: ObjectStore, parts: Collection[Part]) -> None:
    """Remove parts, and those of their leaves that no other part names."""
    store.remove(part.key for part in parts)
    leaves = {leaf.key for part in parts for leaf in part.leaves}
    if leaves:
        present = StoredIndex.opened(store).parts
        store.remove(leaves - {leaf.key for part in present for leaf in part.leaves})


def _newest(parts: Sequence[Part]) -> Sequence[Part]:
    """The newest parts that have no more rows together than one merge may have."""
    sums = list(accumulate(map(_row_estimate, reversed(parts))))
    count = sum(rows <= MAX_MERGED_ROWS for rows in sums)
    return parts[len(parts) - count :]


def _row_estimate(part: Part) -> int:
    if part.leaves:
        return sum(leaf.rows for leaf in part.leaves)
    return len(part.body) // _BYTES_PER_ROW
