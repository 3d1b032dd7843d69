"""The index in its store: read, added to, and its parts merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagemill_app.stores import list_keys, read_bytes, remove, write_bytes
from imagemill_contract.keys import INDEX, index_key
from imagemill_contract.locations import Location
from imagemill_dataset.index import Entry, Index, IndexedRun, encode_part
from imagemill_dataset.shards import DatasetShard

# A plan reads all parts: so many are read in a second or two, and more are merged into one.
MAX_PARTS = 64


def read_index(output: Location) -> Index:
    """All parts, merged."""
    keys = sorted(list_keys(output, INDEX))
    return Index.of_parts((key, read_bytes(output, key)) for key in keys)


def write_index_part(
    output: Location,
    run: IndexedRun,
    entries: Mapping[str, Entry],
    shards: Iterable[DatasetShard] = (),
) -> None:
    """Add what a run has made; a run without objects adds nothing."""
    if entries:
        write_bytes(output, index_key(run.started, run.run_id), encode_part(entries, shards))


def merge_parts(output: Location) -> None:
    """Put many parts into one; beside other runs, too: rows are written before parts go."""
    index = read_index(output)
    if len(index.part_keys) <= MAX_PARTS or not index.entries:
        return
    last = max((entry.run for entry in index.entries.values()), key=lambda run: run.started)
    merged_key = index_key(last.started, f"{last.run_id[:70]}-merged")
    write_bytes(output, merged_key, index.encode())
    remove(output, [key for key in index.part_keys if key != merged_key])
