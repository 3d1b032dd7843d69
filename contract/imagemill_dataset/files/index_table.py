"""A range of the index as a Parquet table, with one row per object."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from imagemill_contract.errors import RequestError
from imagemill_contract.recipe import Recipe
from imagemill_dataset.files.published_source import published_source
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.shards import DatasetShard

_ROWS_PER_BATCH = 10_000
_ROWS_PER_GROUP = 100_000  # held in memory, encoded, while it is written

Row = tuple[str, Entry]


def index_table(rows: Iterable[Row], shards: Mapping[str, DatasetShard]) -> bytes:
    """The Parquet file of rows of the index, in their order. The same rows give the same bytes.

    Columns: `source_key` (below the source), `source` (its address), `etag`, `recipe` (its digest),
    `run_id`, `shard`, `position`, `split`, `label`, `width`, `height`, `image_bytes`, `edge_bytes`,
    `sha256`, `reason`. Columns that do not apply are null: a rejected object has no shard, a sample
    has no reason.
    """
    file = io.BytesIO()
    write_parquet(
        RecordBatchReader.from_batches(_schema(), _batches(iter(rows), shards)),
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


def _batches(rows: Iterator[Row], shards: Mapping[str, DatasetShard]) -> Iterator[RecordBatch]:
    schema, digests = _schema(), _Digests()
    while chunk := list(islice(rows, _ROWS_PER_BATCH)):
        columns = zip(*(_row(key, entry, shards, digests) for key, entry in chunk), strict=True)
        arrays = [
            Array(values, type=schema.field(place).type) for place, values in enumerate(columns)
        ]
        yield RecordBatch.from_arrays(arrays, schema=schema)


def _row(
    key: str, entry: Entry, shards: Mapping[str, DatasetShard], digests: _Digests
) -> tuple[object, ...]:
    run, place = entry.run, entry.place
    known = (key, published_source(run.source), entry.etag, digests.of(run), run.run_id)
    if place is None:
        return (*known, *(None,) * 9, entry.reason and str(entry.reason))
    return (
        *known,
        place.shard,
        place.position,
        shards[place.shard].split,
        place.label,
        place.width,
        place.height,
        place.image_bytes,
        place.edge_bytes,
        place.sha256,
        None,
    )


class _Digests:
    """Digests of recipes by run; None for a recipe with fields that no longer exist."""

    def __init__(self) -> None:
        self._by_run: dict[str, str | None] = {}

    def of(self, run: IndexedRun) -> str | None:
        if run.run_id not in self._by_run:
            try:
                self._by_run[run.run_id] = Recipe.from_document(run.recipe).digest
            except RequestError:
                self._by_run[run.run_id] = None
        return self._by_run[run.run_id]
