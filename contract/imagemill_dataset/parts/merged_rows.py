"""Merges rows of parts, which come in the order of their keys, without holding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter

from imagemill_dataset.index import Entry
from imagemill_dataset.parts.part import Row
from imagemill_dataset.precedence import counts_over
from imagemill_dataset.reasons import GIVEN_UP, UNTOUCHED

_KEY = itemgetter(0)


def counting_rows(streams: Sequence[Iterator[Row]]) -> Iterator[Row]:
    """The row of each key that counts, pruned ones left out. Streams are in the order of parts."""
    return ((key, entry) for key, entry in _counting(streams) if not entry.is_pruned)


def needed_rows(streams: Sequence[Iterator[Row]]) -> Iterator[Row]:
    """All rows that may count beside rows of earlier parts, in the order of keys and of parts.

    A row that says nothing final of an object, as that of an attempt that was given up, does not
    replace an earlier sample of it, but what is between the two may have done so. So rows before a
    final one are dropped, and rows after it are kept.
    """
    for key, group in groupby(merge(*streams, key=_KEY), _KEY):
        kept: list[Entry] = []
        for _, entry in group:
            if entry.reason not in GIVEN_UP and entry.reason not in UNTOUCHED:
                kept = [known for known in kept if not counts_over(entry, known)]
            kept.append(entry)
        yield from ((key, entry) for entry in kept)


def _counting(streams: Sequence[Iterator[Row]]) -> Iterator[Row]:
    rows = streams[0] if len(streams) == 1 else merge(*streams, key=_KEY)
    for key, group in groupby(rows, _KEY):
        yield key, _counting_entry(entry for _, entry in group)


def _counting_entry(entries: Iterable[Entry]) -> Entry:
    """The entry that counts of one key, whose entries come in the order of parts."""
    known: Entry | None = None
    for entry in entries:
        if known is None or counts_over(entry, known):
            known = entry
    if known is None:
        raise ValueError("a key without an entry")
    return known
