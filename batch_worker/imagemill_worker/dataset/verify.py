"""`verify`: every dataset shard of an output read back and checked against the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from imagemill_contract.keys import DATASET, INDEX_TABLE
from imagemill_dataset.index import Index
from imagemill_dataset.names import EXTENSIONS
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.proof import check_shard
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.progress import log
from imagemill_worker.spool import temporary_file


def verify(address: str) -> bool:
    """Check all dataset shards and log what was found. Returns whether all of it is whole.

    Raises:
        ArgumentsError: There is no output, or no packed dataset in it.
        TryAgainError: The store cannot be reached.
        StoreRefusedError: It may not be read.
    """
    dataset = DatasetStore.open(address)
    index = dataset.read_index()
    if not index.shards:
        raise ArgumentsError(f"There are no dataset shards at {dataset.output}.")
    damaged = 0
    for key, detail in _damages(dataset, index):
        damaged += 1
        log("damaged", {"shard": key, "detail": detail})
    log(
        "verified",
        {
            "shards": len(index.shards),
            "samples": sum(shard.samples for shard in index.shards.values()),
            "indexed": sum(entry.place is not None for entry in index.entries.values()),
            "superseded": sum(index.superseded_samples().values()),
            "damaged": damaged,
            "unnamed": len(_unnamed(dataset, index)),
        },
    )
    return damaged == 0


def _unnamed(dataset: DatasetStore, index: Index) -> list[str]:
    """Files like dataset shards that the index does not name: of runs that are on, or given up."""
    endings = tuple(EXTENSIONS.values())
    found = (key for key in dataset.keys(DATASET) if key.endswith(endings) and key != INDEX_TABLE)
    return [key for key in found if key not in index.shards]


def _damages(dataset: DatasetStore, index: Index) -> Iterator[tuple[str, str]]:
    """Keys of the shards that are not whole, each with a sentence."""
    digests: dict[str, dict[int, str]] = defaultdict(dict)
    for relative, entry in index.entries.items():
        place = entry.place
        if place is None:
            continue
        if place.position in digests[place.shard]:
            detail = f"Two samples of the index have place {place.position}, one is {relative!r}."
            yield place.shard, detail
        digests[place.shard][place.position] = place.sha256
    there = set(dataset.keys(DATASET))
    for key, shard in sorted(index.shards.items()):
        if key not in there and not digests[key]:
            continue  # its pictures were done again: nothing is lost with it
        with temporary_file() as file:
            try:
                dataset.store.fetch_file(dataset.output.prefix + key, file)
                check_shard(file, shard, digests[key])
            except (ArgumentsError, DamagedShardError) as error:
                yield key, str(error)
