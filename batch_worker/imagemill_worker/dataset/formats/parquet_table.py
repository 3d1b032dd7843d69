"""The table of a Parquet shard: its columns, and samples as its rows and back."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, cast

import numpy as np
from arro3.core import (
    Array,
    DataType,
    Field,
    RecordBatch,
    Schema,
)

from imagemill_contract.recipe_parts.columns import HUB_TYPES, ColumnType
from imagemill_contract.recipe_parts.given import (
    HUB_LISTS,
    VECTOR,
    ColumnKind,
    GivenType,
    SampleValue,
    file_ending,
)
from imagemill_worker.dataset.formats.parquet_arrays import (
    column_array,
    column_types,
    image_array,
    image_fields,
)
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import npy_file

# One key only: arro3 writes several in any order.
METADATA_KEY, BATCH_NAME = "huggingface", "rows_per_batch"

Kinds = tuple[tuple[str, ColumnKind], ...]

_IMAGE_COLUMNS = ("image", "edge")
_LABEL_COLUMNS = ("label", "label_text")


@cache
def schema(more: Kinds = ()) -> Schema:
    """The columns of a sample, and `more` of the recipe."""
    columns = dict.fromkeys(_IMAGE_COLUMNS, DataType.struct(image_fields()))
    columns |= dict.fromkeys(("key", "filename"), DataType.string())
    columns |= dict.fromkeys(("width", "height"), DataType.int32())
    columns |= {"sha256": DataType.string()}
    columns |= {"label": DataType.int64(), "label_text": DataType.string()}
    columns |= {name: column_types()[kind] for name, kind in more}
    return Schema([Field(name, data_type) for name, data_type in columns.items()])


def columns_in(found: Schema) -> Kinds:
    """The columns of the recipe in a file's schema. Raises ValueError for one of no such type."""
    kinds = {str(data_type): kind for kind, data_type in column_types().items()}
    names = [name for name in found.names if name not in schema().names]
    try:
        return tuple((name, kinds[str(found.field(name).type)]) for name in names)
    except KeyError as error:
        raise ValueError(f"a column has the type {error}") from None


def metadata(rows_per_batch: int, more: Kinds = ()) -> str:
    """Features in the form of `datasets` (see its `Features.to_dict`), and the rows per batch.

    Our reader takes that many rows at once, so that it holds no more than the writer did.
    """
    features = {name: _value("string") for name in schema().names}
    features |= {name: {"_type": "Image"} for name in _IMAGE_COLUMNS}
    features |= {"width": _value("int32"), "height": _value("int32"), "label": _value("int64")}
    features |= {name: _feature(kind) for name, kind in more}
    return json.dumps({"info": {"features": features}, BATCH_NAME: rows_per_batch})


def _feature(kind: ColumnKind) -> dict[str, object]:
    if kind is GivenType.PICTURE:
        return {"_type": "Image"}
    if isinstance(kind, ColumnType):
        return _value(HUB_TYPES[kind])
    return {"feature": _value(HUB_LISTS[kind]), "length": -1, "_type": "Sequence"}


def _value(dtype: str) -> dict[str, object]:
    return {"dtype": dtype, "_type": "Value"}


def batch_of(rows: list[Sample], more: Kinds = ()) -> RecordBatch:
    columns_schema = schema(more)
    images = image_array([row.image for row in rows], [row.image_name for row in rows])
    edges = image_array([row.edge for row in rows], [row.edge_name for row in rows])
    columns: dict[str, list[Any]] = {
        "key": [row.key for row in rows],
        "filename": [row.filename for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "sha256": [row.sha256 for row in rows],
        "label": [row.label for row in rows],
        "label_text": [None if row.label is None else row.label_text for row in rows],
    }
    arrays = [Array(values, columns_schema.field(name).type) for name, values in columns.items()]
    arrays += [column_array(rows, name, kind) for name, kind in more]
    return RecordBatch.from_arrays([images, edges, *arrays], schema=columns_schema)


@cache
def _own_names() -> frozenset[str]:
    return frozenset(schema().names)


def rows_of(batch: RecordBatch) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", batch.to_struct_array().to_pylist())


def _column_value(key: str, image_format: str, name: str, value: Any) -> SampleValue:
    if isinstance(value, dict):
        if value["path"] != f"{key}.{file_ending(name, image_format)}":
            raise ValueError(f"the row {key!r} has the {name} of another")
        return cast("bytes", value["bytes"])
    if isinstance(value, list) and name == VECTOR:
        return npy_file(np.array(value, np.float16))
    return cast("SampleValue", value)


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
        columns={
            name: _column_value(key, image_format, name, value)
            for name, value in row.items()
            if name not in _own_names()
        },
    )
