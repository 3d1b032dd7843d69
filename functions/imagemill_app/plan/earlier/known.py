"""What the index says about the objects of a slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from imagemill_contract.locations import Location
from imagemill_contract.source_keys import is_hidden
from imagemill_dataset.index import Entry
from imagemill_dataset.stored_index import StoredIndex


@dataclass(frozen=True, slots=True)
class Known:
    """Rows by relative key.

    Attributes:
        entries: Of objects that are there.
        gone: Of objects that are not, and that an earlier run over the same source has done.
        until: Relative key of the last row that was read, if there are too many of these.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    gone: Mapping[str, Entry] = field(default_factory=dict)
    until: str | None = None


def known_rows(index: StoredIndex, relatives: list[str]) -> Known:
    """What is known of some objects, given by their relative keys in order."""
    return Known(index.rows_of(relatives))


def known_range(
    index: StoredIndex,
    source: Location,
    after: str,
    until: str | None,
    existing: Collection[str],
    most_gone: int,
) -> Known:
    """What is known of a range of relative keys, in which there are only the keys `existing`.

    It ends with the row that makes `most_gone` objects that are not there.
    Hidden files of a folder are not listed, so they may still be there.
    """
    entries: dict[str, Entry] = {}
    gone: dict[str, Entry] = {}
    address, prefix = str(source), source.prefix
    for relative, entry in index.rows(after, until):
        if prefix + relative in existing:
            entries[relative] = entry
        elif entry.run.source == address and not (source.is_file and is_hidden(relative)):
            gone[relative] = entry
            if len(gone) >= most_gone:
                return Known(entries, gone, relative)
    return Known(entries, gone)
