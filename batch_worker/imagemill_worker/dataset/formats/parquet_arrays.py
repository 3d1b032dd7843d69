"""Arrays of a Parquet shard: values of one column of some samples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from arro3.core import Array, DataType, Field, list_array, struct_array
from numpy.typing import NDArray

from imagemill_contract.recipe_parts.columns import ColumnType
from imagemill_contract.recipe_parts.given import ColumnKind, GivenType, Scores
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import vector_in

_NOTHING = {GivenType.VECTOR: np.zeros(0, np.float16), GivenType.SCORES: np.zeros(0)}


@cache
def image_fields() -> list[Field]:
    return [Field("bytes", DataType.binary()), Field("path", DataType.string())]


@cache
def column_types() -> dict[ColumnKind, DataType]:
    return {
        ColumnType.TEXT: DataType.string(),
        ColumnType.INT: DataType.int64(),
        ColumnType.FLOAT: DataType.float64(),
        ColumnType.BOOL: DataType.bool(),
        GivenType.VECTOR: DataType.list(Field("element", DataType.float16())),
        GivenType.SCORES: DataType.list(Field("element", DataType.float64())),
        GivenType.PICTURE: DataType.struct(image_fields()),
    }


def column_array(rows: list[Sample], name: str, kind: ColumnKind) -> Array:
    values: list[Any] = [row.columns.get(name) for row in rows]
    if kind is GivenType.PICTURE:
        nulls = Array([value is None for value in values], DataType.bool())
        names = [None if row.columns.get(name) is None else row.file_name(name) for row in rows]
        parts = [Array(values, DataType.binary()), Array(names, DataType.string())]
        return struct_array(parts, fields=image_fields(), mask=nulls)
    if kind is GivenType.VECTOR:
        return _list_array([None if it is None else vector_in(it) for it in values], kind)
    if kind is GivenType.SCORES:
        return _list_array([None if it is None else _numbers(it) for it in values], kind)
    return Array(values, column_types()[kind])


def _numbers(scores: Scores) -> NDArray[np.float64]:
    return np.array([*(scores.values() if isinstance(scores, Mapping) else scores)], np.float64)


def _list_array(lists: list[NDArray[Any] | None], kind: GivenType) -> Array:
    """From buffers of numpy: arro3 makes no array from Python's lists of lists."""
    lengths = [0 if item is None else len(item) for item in lists]
    ends = np.cumsum([0, *lengths], dtype=np.int32)
    flat = np.concatenate([_NOTHING[kind], *(item for item in lists if item is not None)])
    nulls = Array([item is None for item in lists], DataType.bool())
    offsets = Array.from_numpy(ends)
    return list_array(offsets, Array.from_numpy(flat), type=column_types()[kind], mask=nulls)


def image_array(bodies: list[bytes], names: list[str]) -> Array:
    parts = [Array(bodies, DataType.binary()), Array(names, DataType.string())]
    return struct_array(parts, fields=image_fields())
