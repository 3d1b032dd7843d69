"""The rows of a leaf from its columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.columns import Value
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.parts.columns import or_else

# What a row has where the column is left out; of key and ETag there is no such value.
USUAL: Mapping[str, object] = {
    "run": 0,
    "reason": None,
    "pruned": False,
    **dict.fromkeys(Place._fields),
    "given_bytes": 0,
    "columns": None,
    "fingerprint": None,
    "source_bytes": None,
    "source_width": None,
    "source_height": None,
    "taken": None,
    "scores": None,
}


def rows_of_columns(
    columns: Mapping[str, Sequence[Any]], runs: Sequence[IndexedRun], shard_keys: Sequence[str]
) -> Iterator[tuple[str, Entry]]:
    """The rows whose columns these are, by their names.

    A row refers to its run and shard by their places in the header.
    """
    keys = columns["key"]

    def column(name: str) -> Sequence[Any]:
        return columns[name] if name in columns else [USUAL[name]] * len(keys)

    fields = (
        columns["etag"],
        _read(Reason, column("reason")),
        _read(runs.__getitem__, column("run")),
        column("pruned"),
        _tuples(
            Place,
            _read(shard_keys.__getitem__, column("shard")),
            *map(column, Place._fields[1:]),
        ),
        or_else(_read(_values, column("columns")), ()),
        or_else(column("fingerprint"), ""),
        _tuples(
            Original,
            column("source_width"),
            column("source_height"),
            or_else(column("taken"), ""),
        ),
        or_else(column("source_bytes"), 0),
        _read(json.loads, column("scores")),
    )
    return zip(keys, _tuples(Entry, *fields), strict=True)


def _read(read: Callable[[Any], object], values: Sequence[Any]) -> Sequence[Any]:
    """What `read` makes of each value but None."""
    if values.count(None) == len(values):
        return values
    return [None if value is None else read(value) for value in values]


def _tuples(kind: type, first: Sequence[Any], *others: Sequence[Any]) -> Sequence[Any]:
    """A tuple of each row; None where the first value is None."""
    if first.count(None) == len(first):
        return first
    found: list[Any] = list(map(tuple.__new__, repeat(kind), zip(first, *others, strict=True)))
    if None not in first:
        return found
    return [None if one is None else it for one, it in zip(first, found, strict=True)]


def _values(text: str) -> tuple[Value, ...]:
    return tuple(json.loads(text))
