"""Parquet: a table with one row for each sample, as Hugging Face `datasets` writes its own.

    image        struct<bytes: binary, path: string>   the picture's file and its name
    edge         struct<bytes: binary, path: string>   the edge map's
    key          string
    filename     string
    width        int32                                 pixels
    height       int32                                 pixels
    sha256       string
    label        int64                                 null where there is none
    label_text   string                                null where there is no label

The file's metadata tells `datasets` that the first two are images. All shards have all columns:
they are tables of one schema.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import IO, Any, BinaryIO, cast

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema, struct_array
from arro3.io import read_parquet, write_parquet

from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample, checked

# A row group is held in memory while it is written, and is what a reader fetches at once: the
# viewer of the Hugging Face Hub and its streaming read whole groups. 100 rows are what `datasets`
# writes of images; fewer of large ones.
_ROWS_PER_GROUP, _GROUP_BYTES = 100, 32 << 20
_ROWS_PER_BATCH, _BATCH_BYTES = 20, 8 << 20
# One key only: arro3 writes several in any order.
_METADATA_KEY, _BATCH_NAME = "huggingface", "rows_per_batch"

_IMAGE_COLUMNS = ("image", "edge")
_LABEL_COLUMNS = ("label", "label_text")
_MAGIC = b"PAR1"


class Parquet:
    """Shards as Parquet files.

    Nothing in them is compressed, because pictures are. There are no checksums but that of the
    picture in its row, and parquet-rs ends the process, by SIGABRT, at some damage to the few bytes
    that tell null from value: where that must not be, compare the file with its checksum first.
    """

    extension = ".parquet"

    def write(
        self, file: BinaryIO, samples: Iterable[Sample], largest_bytes: int = ANY_BYTES, /
    ) -> None:
        """As `DatasetFormat.write`."""
        rows_per_batch = _rows_within(_BATCH_BYTES, largest_bytes, _ROWS_PER_BATCH)
        output = _Output(file)
        batches = output.batches(iter(samples), rows_per_batch)
        try:
            write_parquet(
                RecordBatchReader.from_batches(_schema(), batches),
                cast("IO[bytes]", output),
                compression="uncompressed",
                dictionary_enabled=False,
                key_value_metadata={_METADATA_KEY: _metadata(rows_per_batch)},
                max_row_group_size=_rows_within(_GROUP_BYTES, largest_bytes, _ROWS_PER_GROUP),
                skip_arrow_metadata=True,
            )
        finally:
            if output.error is not None:
                raise output.error from None

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """As `DatasetFormat.read`."""
        return checked(_sample(row) for batch in _batches(file) for row in _rows(batch))


class _Output(io.RawIOBase):
    """A file whose errors, and those of the samples, survive arro3.

    It would panic at the one and make the other a plain Exception.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: BaseException | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.error is None:
            try:
                self._file.write(data)
            except BaseException as error:  # noqa: BLE001 # raised by `write` of the format
                self.error = error
        return len(data)

    def batches(self, samples: Iterator[Sample], rows_per_batch: int) -> Iterator[RecordBatch]:
        try:
            while self.error is None and (rows := list(islice(samples, rows_per_batch))):
                yield _batch(rows)
        except BaseException as error:
            self.error = error
            raise


def _rows_within(most_bytes: int, row_bytes: int, most_rows: int) -> int:
    """How many rows have at most so many bytes together, but at least one."""
    return max(1, min(most_rows, most_bytes // max(1, row_bytes)))


@cache
def _image_fields() -> list[Field]:
    return [Field("bytes", DataType.binary()), Field("path", DataType.string())]


@cache
def _schema() -> Schema:
    columns = dict.fromkeys(_IMAGE_COLUMNS, DataType.struct(_image_fields()))
    columns |= dict.fromkeys(("key", "filename"), DataType.string())
    columns |= dict.fromkeys(("width", "height"), DataType.int32())
    columns |= {"sha256": DataType.string()}
    columns |= {"label": DataType.int64(), "label_text": DataType.string()}
    return Schema([Field(name, data_type) for name, data_type in columns.items()])


def _metadata(rows_per_batch: int) -> str:
    """Features as `datasets` leaves them in a file; see `Features.to_dict` there.

    And how many rows a reader of ours takes at once, so that it holds no more than the writer did.
    """
    values = {"width": "int32", "height": "int32", "label": "int64"}
    features = {
        name: {"_type": "Image"}
        if name in _IMAGE_COLUMNS
        else {"dtype": values.get(name, "string"), "_type": "Value"}
        for name in _schema().names
    }
    return json.dumps({"info": {"features": features}, _BATCH_NAME: rows_per_batch})


def _batch(rows: list[Sample]) -> RecordBatch:
    schema = _schema()
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
    }
    arrays = [Array(values, schema.field(name).type) for name, values in columns.items()]
    return RecordBatch.from_arrays([images, edges, *arrays], schema=schema)


def _image_array(bodies: list[bytes], names: list[str]) -> Array:
    parts = [Array(bodies, DataType.binary()), Array(names, DataType.string())]
    return struct_array(parts, fields=_image_fields())


def _batches(file: BinaryIO) -> Iterator[RecordBatch]:
    _check_footer(file)
    try:
        metadata = json.loads(read_parquet(file).schema.metadata_str[_METADATA_KEY])
        file.seek(0)
        reader = read_parquet(file, batch_size=int(metadata[_BATCH_NAME]))
        if reader.schema.remove_metadata() != _schema():
            raise ValueError("the columns are not those of a dataset")
        yield from reader
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            detail = str(error).partition("\n")[0]
            raise ValueError(f"the file cannot be read: {detail}") from error
        raise


def _check_footer(file: BinaryIO) -> None:
    """arro3 panics at a file that is cut off."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, size_bytes - 8))
    tail = file.read(8)
    file.seek(0)
    footer_bytes = int.from_bytes(tail[:4], "little") + len(tail) + len(_MAGIC)
    if file.read(4) != _MAGIC or tail[4:] != _MAGIC or footer_bytes > size_bytes:
        raise ValueError("the file does not begin and end as a Parquet file")


def _rows(batch: RecordBatch) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", batch.to_struct_array().to_pylist())


def _has_stray_null(row: dict[str, Any]) -> bool:
    label_nulls = {row[name] is None for name in _LABEL_COLUMNS}
    values = [row[name] for name in row if name not in _LABEL_COLUMNS]
    for column in _IMAGE_COLUMNS:
        values += (row[column] or {}).values()
    return len(label_nulls) == 2 or any(value is None for value in values)


def _sample(row: dict[str, Any]) -> Sample:
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
    )
