"""Writing the views of a dataset beside other runs that do the same."""

from __future__ import annotations

from imagemill_app.index import part_keys, read_index
from imagemill_app.labels import read_labels
from imagemill_app.stores import write_bytes
from imagemill_contract.locations import Location
from imagemill_dataset.documents import views_of
from imagemill_dataset.index import Index, IndexedRun


def publish(output: Location, run: IndexedRun) -> Index:
    """Write the views of all runs, this one's part of the index being there; the index they show.

    Views are written over those of other runs. Whoever writes last has seen all parts: a part is
    there before its run writes views, and a run that then finds other parts than it has read
    writes them again.
    """
    while True:
        index = read_index(output)
        _write_views(output, index, run)
        if part_keys(output) == index.part_keys:
            return index


def _write_views(output: Location, index: Index, run: IndexedRun) -> None:
    views = views_of(index, read_labels(output), otherwise=run)
    for key, body in views.items():
        write_bytes(output, key, body)
