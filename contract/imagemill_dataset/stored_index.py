"""The index in its store: read, added to, and its parts merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256

from imagemill_app.stores import list_keys, read_bytes, remove, write_bytes
from imagemill_contract.keys import INDEX, index_key
from imagemill_contract.locations import Location
from imagemill_dataset.index import Entry, Index, IndexedRun, encode_part
from imagemill_dataset.shards import DatasetShard

# A plan reads all parts: so many are read in a second or two, and more are merged into one.
MAX_PARTS = 64
MAX_READS = 5


def part_keys(output: Location) -> list[str]:
    """Keys of all parts, in order."""
    return sorted(list_keys(output, INDEX))


def read_index(output: Location) -> Index:
    """All parts, merged. Parts that another run merges meanwhile are read in their new form."""
    for _ in range(MAX_READS - 1):
        with suppress(FileNotFoundError):
            return _read(output)
    return _read(output)


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
    """Put many parts into one; beside other runs, too: rows are written before parts go.

    What was merged is in the key, so that two at once never write different rows to one key.
    """
    if len(part_keys(output)) <= MAX_PARTS:
        return
    index = read_index(output)
    if not index.entries:
        return
    last = max((entry.run for entry in index.entries.values()), key=lambda run: run.started)
    digest = sha256("\n".join(index.part_keys).encode()).hexdigest()[:8]
    merged_key = index_key(last.started, f"{last.run_id[:64]}-merged-{digest}")
    write_bytes(output, merged_key, index.encode())
    remove(output, [key for key in index.part_keys if key != merged_key])


def _read(output: Location) -> Index:
    return Index.of_parts((key, read_bytes(output, key)) for key in part_keys(output))
