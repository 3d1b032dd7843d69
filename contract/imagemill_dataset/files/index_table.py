"""The index as a Parquet table, with one row per object."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from itertools import islice

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from imagemill_contract.errors import RequestError
from imagemill_contract.recipe import Recipe
from imagemill_dataset.files.published_source import published_source
from imagemill_dataset.index import Entry, Index

_ROWS_PER_BATCH = 10_000
_ROWS_PER_GROUP = 100_000  # held in memory, encoded, while it is written

Digests = dict[str, str | None]


def index_table(index: Index) -> bytes:
    """The Parquet file of an index, in the order of keys. The same index gives the same bytes.

    Columns: `source_key` (below the source), `source` (its address), `etag`, `recipe` (its digest),
    `run_id`, `shard`, `position`, `split`, `label`, `width`, `height`, `image_bytes`, `edge_bytes`,
    `sha256`, `reason`. Columns that do not apply are null: a rejected object has no shard, a sample
    has no reason.
    """
    file = io.BytesIO()
    write_parquet(
        RecordBatchReader.from_batches(_schema(), _batches(index)),
        file,
        compression="zstd(3)",
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
    }
    return Schema([*known, *(Field(name, kind) for name, kind in of_samples.items())])


def _batches(index: Index) -> Iterator[RecordBatch]:
    schema = _schema()
    digests = _recipe_digests(index)
    keys = iter(sorted(index.entries))
    while chunk := list(islice(keys, _ROWS_PER_BATCH)):
        rows = [_row(key, index.entries[key], index, digests) for key in chunk]
        columns = zip(*rows, strict=True)
        arrays = [
            Array(values, type=schema.field(place).type) for place, values in enumerate(columns)
        ]
        yield RecordBatch.from_arrays(arrays, schema=schema)


def _row(key: str, entry: Entry, index: Index, digests: Digests) -> tuple[object, ...]:
    run, place = entry.run, entry.place
    known = (key, published_source(run.source), entry.etag, digests[run.run_id], run.run_id)
    if place is None:
        return (*known, *(None,) * 9, entry.reason and str(entry.reason))
    return (
        *known,
        place.shard,
        place.position,
        index.shards[place.shard].split,
        place.label,
        place.width,
        place.height,
        place.image_bytes,
        place.edge_bytes,
        place.sha256,
        None,
    )


def _recipe_digests(index: Index) -> Digests:
    """Digests of recipes by run; None for a recipe with fields that no longer exist."""
    runs = {entry.run.run_id: entry.run for entry in index.entries.values()}
    digests: Digests = {}
    for run_id, run in runs.items():
        try:
            digests[run_id] = Recipe.from_document(run.recipe).digest
        except RequestError:
            digests[run_id] = None
    return digests
