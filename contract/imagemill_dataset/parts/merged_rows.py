"""Merges rows of parts, which come in the order of their keys, without holding them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    rows = streams[0] if len(streams) == 1 else merge(*streams, key=_KEY)
    return (row for row in _counting(rows) if not row[1].is_pruned)


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


def _counting(rows: Iterator[Row]) -> Iterator[Row]:
    """The row of each key that counts, of rows in the order of keys and of parts."""
    known = next(rows, None)
    if known is None:
        return
    for row in rows:  # of millions, nearly all of them with a key of their own
        if row[0] != known[0]:
            yield known
            known = row
        elif counts_over(row[1], known[1]):
            known = row
    yield known
