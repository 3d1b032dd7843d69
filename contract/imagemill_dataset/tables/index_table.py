"""A range of the index as a Parquet table, with one row per object."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

from arro3.core import DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from imagemill_dataset.index import Entry
from imagemill_dataset.parts.columns import array_of
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.tables.index_columns import RecipeDigests, table_columns

_ROWS_PER_BATCH = 2_000
_ROWS_PER_GROUP = 100_000  # held in memory, encoded, while it is written
# What differs in each row: with dictionaries, or a higher level, a file takes twice the time.
_NO_DICTIONARY: dict[str | Sequence[str], bool] = {
    name: False
    for name in (
        *("source_key", "etag", "sha256", "fingerprint", "scores"),
        *("position", "image_bytes", "edge_bytes", "source_bytes"),
    )
}

Row = tuple[str, Entry]


def index_table(rows: Iterable[Row], shards: Mapping[str, DatasetShard]) -> bytes:
    """The Parquet file of rows of the index, in their order. The same rows give the same bytes.

    Columns: `source_key` (below the source), `source` (its address), `etag`, `recipe` (its digest),
    `run_id`, `shard`, `position`, `split`, `label`, `width`, `height`, `image_bytes`, `edge_bytes`,
    `sha256`, `reason`, `columns`, `fingerprint`, and of the object `source_bytes`, `source_width`,
    `source_height`, `taken`; `predicted`, `score` and `scores` are what a model says of it. Columns
    that do not apply are null: a rejected object has no shard, a sample has no reason. `columns` is
    a JSON object with the values of the recipe's columns, and `scores` one with the best scores, or
    a list: so the table has the same columns, whatever the recipes of its rows.
    """
    file = io.BytesIO()
    write_parquet(
        RecordBatchReader.from_batches(_schema(), _batches(iter(rows), shards)),
        file,
        compression="zstd(1)",
        column_dictionary_enabled=_NO_DICTIONARY,
        max_row_group_size=_ROWS_PER_GROUP,
    )
    return file.getvalue()


@cache
def _schema() -> Schema:
    text, number, pixels = DataType.utf8(), DataType.int64(), DataType.int32()
    known = [Field(name, text, nullable=False) for name in ("source_key", "source", "etag")]
    known += [Field("recipe", text, nullable=True), Field("run_id", text, nullable=False)]
    of_samples = {
        "shard": text,
        "position": number,
        "split": text,
        "label": number,
        "width": pixels,
        "height": pixels,
        "image_bytes": number,
        "edge_bytes": number,
        "sha256": text,
        "reason": text,
        "columns": text,
        "fingerprint": text,
        "source_bytes": number,
        "source_width": pixels,
        "source_height": pixels,
        "taken": text,
        "predicted": text,
        "score": DataType.float64(),
        "scores": text,
    }
    return Schema([*known, *(Field(name, kind) for name, kind in of_samples.items())])


def _batches(rows: Iterator[Row], shards: Mapping[str, DatasetShard]) -> Iterator[RecordBatch]:
    schema, digests = _schema(), RecipeDigests()
    types = [schema.field(place).type for place in range(len(schema.names))]
    while chunk := list(islice(rows, _ROWS_PER_BATCH)):
        columns = table_columns(chunk, shards, digests)
        arrays = [array_of(*it, len(chunk)) for it in zip(columns, types, strict=True)]
        yield RecordBatch.from_arrays(arrays, schema=schema)
