"""`verify`: reads every dataset shard of an output back and compares it with the index.

It names what stopped runs have left; with `--repair` it removes that, and what is damaged.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from imagemill_contract.keys import DATASET, INDEX_TABLE, open_run_key
from imagemill_dataset.names import EXTENSIONS
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import part_keys
from imagemill_worker.dataset.damage import IndexedSamples, damaged_shards
from imagemill_worker.dataset.index_swap import put_in_place
from imagemill_worker.dataset.lease import PATIENCE_SECONDS, Lease, upkeep_lease
from imagemill_worker.dataset.leftovers import Leftovers
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.progress import log
from imagemill_worker.stores.opening import patience_seconds
from imagemill_worker.stores.weather import Weather

_REPAIR = "verify --repair"


@dataclass(frozen=True, slots=True)
class _Found:
    """What is at an output, in the order in which it is looked for."""

    leftovers: Leftovers
    open_runs: list[str]
    indexed: IndexedSamples
    part_keys: list[str]
    unnamed: int


def verify(address: str, stopping: threading.Event) -> bool:
    """Check all dataset shards and log what was found. Returns whether all are whole.

    `address` is that of the output, or of its folder `dataset/`.

    Raises:
        ArgumentsError: There is no output, or no packed dataset in it.
        TryAgainError: The store cannot be reached, or the process was told to stop.
        StoreRefusedError: It may not be read.
    """
    weather = Weather(patience_seconds=patience_seconds(), stopping=stopping)
    dataset = DatasetStore.open(address, weather)
    found = _found(dataset, Leftovers.found(dataset))
    damaged = _damaged(dataset, found.indexed, stopping)
    if damaged and not {*found.part_keys} <= {*part_keys(dataset)}:
        raise TryAgainError("The index was rewritten meanwhile. Run the same command again.")
    log("verified", _summary(found, damaged))
    return not damaged


def repair(address: str, stopping: threading.Event, *, force: bool) -> bool:
    """Remove what stopped runs have left, verify, and let go what is damaged.

    What lies in a damaged shard is then unknown to the index, so that the next run does it again.
    With `force` runs that are open are taken for over, and what they have done for nothing.
    Returns whether all was whole.

    Raises as `verify` does, and ArgumentsError if a run is open or a compaction is on.
    """
    weather = Weather(patience_seconds=PATIENCE_SECONDS, stopping=stopping)
    dataset = DatasetStore.open(address, weather)
    leftovers = Leftovers.found(dataset)
    if not part_keys(dataset) and not any(leftovers.names()):
        raise _nothing_at(dataset)
    with upkeep_lease(dataset, _REPAIR) as lease:
        found = _found(dataset, leftovers, forget_open_runs=force)
        if force:
            lease.remove(map(open_run_key, found.open_runs))
        lease.check_no_run_is_open(", or repair with --force, which forgets that")
        lease.remove(found.leftovers.keys())
        damaged = _damaged(dataset, found.indexed, stopping)
        summary = _summary(found, damaged)
        lost = _let_go(lease, dataset, damaged)
    log("verified", {**summary, "lost": lost})
    return not damaged


def _found(
    dataset: DatasetStore, leftovers: Leftovers, *, forget_open_runs: bool = False
) -> _Found:
    """Look for the rest, and log what is left by runs that are over."""
    open_runs = dataset.open_run_ids()
    index = dataset.opened_index()
    shards = index.shards
    indexed = IndexedSamples.of_rows(dataset.rows_of(index), shards)
    left = leftovers.without(shards.keys(), [] if forget_open_runs else open_runs)
    if not shards and not open_runs and not any(left.names()):
        raise _nothing_at(dataset)
    for name, objects in left.names():
        log("leftover", {"name": name, "objects": objects})
    return _Found(left, open_runs, indexed, index.part_keys, len(_unnamed(dataset, shards)))


def _nothing_at(dataset: DatasetStore) -> ArgumentsError:
    return ArgumentsError(f"There are no dataset shards at {dataset.output}.")


def _unnamed(dataset: DatasetStore, shards: Collection[str]) -> list[str]:
    """Dataset shards that the index does not name, whichever run they belong to."""
    endings = tuple(EXTENSIONS.values())
    found = (key for key in dataset.keys(DATASET) if key.endswith(endings))
    return [key for key in found if key not in shards and not key.startswith(INDEX_TABLE)]


def _damaged(
    dataset: DatasetStore, indexed: IndexedSamples, stopping: threading.Event
) -> dict[str, str]:
    """Shards that are not what the index says, logged, each with a sentence."""
    damaged = {}
    for key, detail in chain(indexed.doubled.items(), damaged_shards(dataset, indexed, stopping)):
        log("damaged", {"shard": key, "detail": detail})
        damaged[key] = detail
    return damaged


def _summary(found: _Found, damaged: Collection[str]) -> dict[str, object]:
    indexed = found.indexed
    return {
        "shards": len(indexed.shards),
        "samples": sum(shard.samples for shard in indexed.shards.values()),
        "indexed": indexed.living.total(),
        "superseded": indexed.superseded(),
        "damaged": len(damaged),
        "unnamed": found.unnamed,
        "leftovers": sum(1 for _ in found.leftovers.names()),
        "open": found.open_runs,
    }


def _let_go(lease: Lease, dataset: DatasetStore, damaged: Collection[str]) -> int:
    """Remove damaged shards and what the index says of them. Returns how many samples it was."""
    if not damaged:
        return 0
    index, lost = dataset.opened_index(), 0

    def kept() -> Iterator[Row]:
        nonlocal lost
        for relative, entry in dataset.rows_of(index):
            if entry.place and entry.place.shard in damaged:
                lost += 1
            else:
                yield relative, entry

    put_in_place(lease, index, kept(), index.shards, damaged)
    return lost
