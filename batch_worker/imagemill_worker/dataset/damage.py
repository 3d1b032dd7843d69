"""Finds damaged dataset shards: fetches each one and compares it with the index."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping

from imagemill_contract.keys import DATASET
from imagemill_dataset.index import Index
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.proof import check_shard
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.spool import temporary_file

# A bit that flips on its way does not mean that the shard is damaged.
_READS = 3


def doubled_places(index: Index) -> Iterator[tuple[str, str]]:
    """Shards in which the index has two samples at one position, each with a sentence."""
    taken: dict[str, set[int]] = defaultdict(set)
    for relative, entry in index.entries.items():
        if entry.place:
            position = entry.place.position
            if position in taken[entry.place.shard]:
                detail = f"The index has two samples at position {position}; one is {relative!r}."
                yield entry.place.shard, detail
            taken[entry.place.shard].add(position)


def damaged_shards(
    dataset: DatasetStore, index: Index, stopping: threading.Event
) -> Iterator[tuple[str, str]]:
    """Damaged shards, each with a sentence that says why.

    Raises TryAgainError if the process is told to stop.
    """
    digests: dict[str, dict[int, str]] = defaultdict(dict)
    for entry in index.entries.values():
        if entry.place:
            digests[entry.place.shard][entry.place.position] = entry.place.sha256
    there = set(dataset.keys(DATASET))
    for key, shard in sorted(index.shards.items()):
        if stopping.is_set():
            raise TryAgainError("The command was told to stop.")
        if key not in there and not digests[key]:
            continue  # its pictures were done again: nothing is lost with it
        if detail := _damage(dataset, shard, digests[key]):
            yield key, detail


def _damage(dataset: DatasetStore, shard: DatasetShard, digests: Mapping[int, str]) -> str:
    """What is wrong with a shard however often it is read; empty if it is whole."""
    for _ in range(_READS):
        with temporary_file() as file:
            try:
                dataset.store.fetch_file(dataset.output.prefix + shard.key, file)
                check_shard(file, shard, digests)
            except ArgumentsError as error:
                return str(error)
            except DamagedShardError as error:
                detail = str(error)
                continue
        return ""
    return detail
