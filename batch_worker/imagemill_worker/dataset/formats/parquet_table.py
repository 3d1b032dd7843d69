"""The table of a Parquet shard: its columns, and samples as its rows and back."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, cast

from arro3.core import Array, DataType, Field, RecordBatch, Schema, struct_array

from imagemill_contract.recipe_parts.columns import HUB_TYPES, ColumnType
from imagemill_worker.dataset.formats.samples import Sample

# One key only: arro3 writes several in any order.
METADATA_KEY, BATCH_NAME = "huggingface", "rows_per_batch"

_IMAGE_COLUMNS = ("image", "edge")
_LABEL_COLUMNS = ("label", "label_text")


@cache
def _image_fields() -> list[Field]:
    return [Field("bytes", DataType.binary()), Field("path", DataType.string())]


@cache
def _types() -> dict[ColumnType, DataType]:
    return {
        ColumnType.TEXT: DataType.string(),
        ColumnType.INT: DataType.int64(),
        ColumnType.FLOAT: DataType.float64(),
        ColumnType.BOOL: DataType.bool(),
    }


@cache
def schema(more: tuple[tuple[str, ColumnType], ...] = ()) -> Schema:
    """The columns of a sample, and `more` of the recipe."""
    columns = dict.fromkeys(_IMAGE_COLUMNS, DataType.struct(_image_fields()))
    columns |= dict.fromkeys(("key", "filename"), DataType.string())
    columns |= dict.fromkeys(("width", "height"), DataType.int32())
    columns |= {"sha256": DataType.string()}
    columns |= {"label": DataType.int64(), "label_text": DataType.string()}
    columns |= {name: _types()[kind] for name, kind in more}
    return Schema([Field(name, data_type) for name, data_type in columns.items()])


def columns_in(found: Schema) -> tuple[tuple[str, ColumnType], ...]:
    """The columns of the recipe in a file's schema. Raises ValueError for one of no such type."""
    kinds = {str(data_type): kind for kind, data_type in _types().items()}
    names = [name for name in found.names if name not in schema().names]
    try:
        return tuple((name, kinds[str(found.field(name).type)]) for name in names)
    except KeyError as error:
        raise ValueError(f"a column has the type {error}") from None


def metadata(rows_per_batch: int, more: tuple[tuple[str, ColumnType], ...] = ()) -> str:
    """Features in the form of `datasets` (see its `Features.to_dict`), and the rows per batch.

    Our reader takes that many rows at once, so that it holds no more than the writer did.
    """
    values = {"width": "int32", "height": "int32", "label": "int64"}
    values |= {name: HUB_TYPES[kind] for name, kind in more}
    features = {
        name: {"_type": "Image"}
        if name in _IMAGE_COLUMNS
        else {"dtype": values.get(name, "string"), "_type": "Value"}
        for name in schema(more).names
    }
    return json.dumps({"info": {"features": features}, BATCH_NAME: rows_per_batch})


def batch_of(rows: list[Sample], more: tuple[tuple[str, ColumnType], ...] = ()) -> RecordBatch:
    columns_schema = schema(more)
    images = _image_array([row.image for row in rows], [row.image_name for row in rows])
    edges = _image_array([row.edge for row in rows], [row.edge_name for row in rows])
    columns: dict[str, list[Any]] = {
        "key": [row.key for row in rows],
        "filename": [row.filename for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "sha256": [row.sha256 for row in rows],
        "label": [row.label for row in rows],
        "label_text": [None if row.label is None else row.label_text for row in rows],
        **{name: [row.columns.get(name) for row in rows] for name, _ in more},
    }
    arrays = [Array(values, columns_schema.field(name).type) for name, values in columns.items()]
    return RecordBatch.from_arrays([images, edges, *arrays], schema=columns_schema)


def _image_array(bodies: list[bytes], names: list[str]) -> Array:
    parts = [Array(bodies, DataType.binary()), Array(names, DataType.string())]
    return struct_array(parts, fields=_image_fields())


@cache
def _own_names() -> frozenset[str]:
    return frozenset(schema().names)


def rows_of(batch: RecordBatch) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", batch.to_struct_array().to_pylist())


def _has_stray_null(row: dict[str, Any]) -> bool:
    label_nulls = {row[name] is None for name in _LABEL_COLUMNS}
    values = [row[name] for name in schema().names if name not in _LABEL_COLUMNS]
    for column in _IMAGE_COLUMNS:
        values += (row[column] or {}).values()
    return len(label_nulls) == 2 or any(value is None for value in values)


def sample_of(row: dict[str, Any]) -> Sample:
    if _has_stray_null(row):
        raise ValueError("the row has a null")
    key, (image_key, _, image_format) = row["key"], str(row["image"]["path"]).rpartition(".")
    if image_key != key or row["edge"]["path"] != f"{key}.edge.png":
        raise ValueError(f"the row {key!r} has the image or the edge map of another")
    return Sample(
        key=key,
        filename=row["filename"],
        image=row["image"]["bytes"],
        image_format=image_format,
        edge=row["edge"]["bytes"],
        width=row["width"],
        height=row["height"],
        sha256=row["sha256"],
        label=row["label"],
        label_text=row["label_text"] or "",
        columns={name: value for name, value in row.items() if name not in _own_names()},
    )
