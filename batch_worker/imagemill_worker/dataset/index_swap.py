"""Replaces all parts of the index by one, and removes the dataset shards that it no longer names.

At any moment the index says where each sample is: new shards are there before the index names them,
and old ones are removed after it has stopped naming them. If the process is killed in between, the
next one finishes: shards that are about to be removed are listed, without samples, until then.
"""

from __future__ import annotations

from collections.abc import Collection

from imagemill_contract.index_keys import compacted_index_key
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.parts.merging import remove_parts
from imagemill_dataset.stored_dataset import publish_dataset
from imagemill_dataset.stored_index import StoredIndex
from imagemill_worker.dataset.lease import Lease
from imagemill_worker.errors import TryAgainError


def last_run(index: Index) -> IndexedRun:
    """The run that was started last, of those with rows in an index that has some."""
    runs = (entry.run for entry in index.entries.values())
    return max(runs, key=lambda run: (run.started, run.run_id))


def put_in_place(lease: Lease, index: Index, last: IndexedRun, old: Collection[str]) -> None:
    """Replace the parts of the index by one with `index`, and remove the dataset shards `old`.

    No row of `index` names one of these. `last` is the last run of the parts that it was read from.
    Runs may begin meanwhile: their parts stay, and the files beside the shards include them.

    Raises TryAgainError if the lease is lost, or if another has changed the index all the same.
    """
    first_key = _written(lease, index, last)
    replaced = frozenset(index.part_keys) - {first_key}
    remove_parts(lease, [part for part in StoredIndex.opened(lease).parts if part.key in replaced])
    present = publish_dataset(lease, last, leaving_out=old)
    if not present.living.keys().isdisjoint(old):
        raise TryAgainError("The index has changed meanwhile. Run the same command again.")
    lease.remove(old)
    for key in old:
        index.shards.pop(key, None)
    last_key = _written(lease, index, last)
    lease.remove(key for key in [first_key] if key != last_key)
    # once more: a run that has read the first part may have written files that name old shards
    publish_dataset(lease, last)


def _written(lease: Lease, index: Index, last: IndexedRun) -> str:
    body = index.encode()
    key = compacted_index_key(last.started, last.run_id, lease.number, body)
    lease.write(key, body)
    return key
