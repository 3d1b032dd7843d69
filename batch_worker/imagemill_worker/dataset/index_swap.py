"""Replaces all parts of the index by one, and removes the dataset shards that it no longer names.

At any moment the index says where each sample is: new shards are there before the index names them,
and old ones are removed after it has stopped naming them. If the process is killed in between, the
next one finishes: shards that are about to be removed are listed, without samples, until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from imagemill_contract.index_keys import compacted_index_key, compacted_leaves_stem
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.parts.merging import remove_parts
from imagemill_dataset.parts.part import Part, Row
from imagemill_dataset.parts.written_part import written_part
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.stored_dataset import publish_dataset
from imagemill_dataset.stored_index import StoredIndex
from imagemill_worker.dataset.lease import Lease
from imagemill_worker.errors import TryAgainError


def last_run(index: StoredIndex) -> IndexedRun:
    """The run that was started last, of those that have rows in an index that has some."""
    runs = (run for part in index.parts for run in part.runs)
    return max(runs, key=lambda run: (run.started, run.run_id))


def put_in_place(
    lease: Lease,
    index: StoredIndex,
    rows: Iterable[Row],
    shards: Mapping[str, DatasetShard],
    old: Collection[str],
) -> None:
    """Replace the parts of `index` by one with `rows`, and remove the dataset shards `old`.

    `rows` are in the order of keys, and read once; none of them names an old shard. `shards` are
    all that there are by then, with the old ones. Runs may begin meanwhile: their parts stay, and
    the files beside the shards include them.

    Raises TryAgainError if the lease is lost, or if another has changed the index all the same.
    """
    last, replaced = last_run(index), frozenset(index.part_keys)
    first = _written(lease, rows, shards, last)
    parts = StoredIndex.opened(lease).parts
    remove_parts(lease, [it for it in parts if it.key in replaced and it.key != first.key])
    present = publish_dataset(lease, last, leaving_out=old)
    if not present.living.keys().isdisjoint(old):
        raise TryAgainError("The index has changed meanwhile. Run the same command again.")
    lease.remove(old)
    left = {key: shard for key, shard in shards.items() if key not in old}
    second = _written(lease, first.rows(lease.read, "", None), left, last)
    lease.remove(key for key in [first.key] if key != second.key)  # their leaves are the same
    # once more: a run that has read the first part may have written files that name old shards
    publish_dataset(lease, last)


def _written(
    lease: Lease, rows: Iterable[Row], shards: Mapping[str, DatasetShard], last: IndexedRun
) -> Part:
    stem = compacted_leaves_stem(last.started, last.run_id, lease.number)
    body = written_part(lease, stem, rows, shards)
    key = compacted_index_key(last.started, last.run_id, lease.number, body)
    lease.write(key, body)
    return Part.opened(key, body)
