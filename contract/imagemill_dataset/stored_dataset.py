"""The files beside a dataset's shards in their store: made of all runs, and written beside them."""

from __future__ import annotations

from imagemill_contract.keys import LABELS
from imagemill_dataset.dataset_files import dataset_files
from imagemill_dataset.index import Index, IndexedRun
from imagemill_dataset.labels import first_number, numbers_of
from imagemill_dataset.object_store import ObjectStore
from imagemill_dataset.stored_index import part_keys, read_index


def read_labels(store: ObjectStore) -> dict[str, int]:
    """The number of each class that has one."""
    keys = [key for key in store.keys(LABELS) if first_number(key) is not None]
    return numbers_of({key: store.read(key) for key in keys})


def write_dataset_files(store: ObjectStore, index: Index, run: IndexedRun) -> None:
    """Write table, card, README and labels of an index; `run` as `dataset_files` has it."""
    for key, body in dataset_files(index, read_labels(store), otherwise=run).items():
        store.write(key, body)


def publish_dataset(store: ObjectStore, run: IndexedRun) -> Index:
    """Write the files of all runs, this one's part of the index being there; the index they show.

    Files are written over those of other runs. Whoever writes last has seen all parts: a part is
    there before its run writes files, and a run that then finds other parts than it has read
    writes them again.
    """
    while True:
        index = read_index(store)
        write_dataset_files(store, index, run)
        if part_keys(store) == index.part_keys:
            return index
