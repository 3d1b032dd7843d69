"""Columns of a Parquet file, from values of very many rows.

Column by column takes half of the time of row by row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arro3.core import Array, DataType


@dataclass(frozen=True, slots=True)
class Repeated:
    """A column with one value in all rows, as most are: a list of it takes longer to make."""

    value: object


Column = Sequence[object] | Repeated


def looked_up(keys: Sequence[Any], values: Mapping[Any, object]) -> Column:
    """The value of each key."""
    if len(values) == 1:
        return Repeated(*values.values())
    return [values[key] for key in keys]


def or_else(values: Sequence[object], other: object) -> Sequence[Any]:
    """The values, with another one in place of those that are empty."""
    return values if all(values) else [value or other for value in values]


def said(say: Callable[..., object], values: Sequence[object], *more: Sequence[object]) -> Column:
    """What `say` makes of each value, and of what goes with it; null if the value is empty."""
    if not any(values):
        return Repeated(None)
    return [say(*row) if row[0] else None for row in zip(values, *more, strict=True)]


def one_or_all(values: Sequence[object]) -> Column:
    """The values, or the only one that there is."""
    return Repeated(values[0]) if values.count(values[0]) == len(values) else values


def beside(_: object, other: object) -> object:
    """For `said`: what goes with a value, where there is one."""
    return other


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def array_of(column: Column, kind: DataType, length: int) -> Array:
    """The column as Parquet takes it."""
    if isinstance(column, Repeated):
        return _repeated(column.value, kind, length)
    return Array(column, type=kind)


@lru_cache(64)
def _repeated(value: object, kind: DataType, length: int) -> Array:
    return Array([value] * length, type=kind)
