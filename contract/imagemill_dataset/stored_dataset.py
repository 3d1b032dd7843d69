"""Writes the files beside a dataset's shards into their store, made from all runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from imagemill_contract.keys import DATASET_ABOUT, DATASET_PREVIEW, LABELS
from imagemill_dataset.files.croissant import IndexTable
from imagemill_dataset.files.dataset_files import dataset_files
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.labels import first_number, numbers_of
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.stored_index import StoredIndex, part_keys
from imagemill_dataset.tables.drafts import NO_DRAFTS, Drafts
from imagemill_dataset.tables.written_tables import written_tables


def read_labels(store: ObjectStore) -> dict[str, int]:
    """The number of each class that has one."""
    keys = [key for key in store.keys(LABELS) if first_number(key) is not None]
    return numbers_of({key: store.read(key) for key in keys})


def write_dataset_files(
    store: ObjectStore, held: Holdings, tables: Sequence[IndexTable], run: IndexedRun
) -> None:
    """Write card, README and labels of a dataset; `run` counts if no run has packed any."""
    about, has_preview = _found(store, DATASET_ABOUT), bool(_found(store, DATASET_PREVIEW))
    labels = read_labels(store)
    files = dataset_files(held, tables, labels, run, about, has_preview=has_preview)
    for key, body in files.items():
        store.write(key, body)


def publish_dataset(
    store: ObjectStore,
    run: IndexedRun,
    leaving_out: Collection[str] = (),
    drafts: Drafts = NO_DRAFTS,
) -> Holdings:
    """Write the files of all runs, and return what they show.

    `drafts` are what this run has drafted of the table of all pictures.

    Dataset shards `leaving_out` are about to go and count as gone, if no sample in them counts.

    This run's part of the index is there already. Runs overwrite each other's files, but whoever
    writes last has seen all parts: a part is there before its run writes files, and a run that then
    finds other parts than it has read writes the files again.
    """
    while True:
        index = StoredIndex.opened(store)
        known = index.part_keys
        found = written_tables(store, index, drafts)
        held = found.holdings(index.shards).without(leaving_out)
        write_dataset_files(store, held, found.tables, run)
        if part_keys(store) == known:
            return held


def _found(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except FileNotFoundError:
        return None
