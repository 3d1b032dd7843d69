"""Parquet: a table with one row for each sample, as Hugging Face `datasets` writes its own.

    image        struct<bytes: binary, path: string>   the picture's file and its name
    edge         struct<bytes: binary, path: string>   the edge map's
    key          string
    filename     string
    width        int32                                 pixels
    height       int32                                 pixels
    sha256       string
    label        int64                                 null if there is none
    label_text   string                                null if there is no label
    <column>     string, int64, double or bool         by its type; null where it has no value
    vector       list<float16>                         what a model gives, if it does; or
    scores       list<double>                          in the order of its labels; or
    model        struct<bytes: binary, path: string>   the picture that it draws
    image_64     struct<bytes: binary, path: string>   the picture in another size, if there are any
    edge_64      struct<bytes: binary, path: string>   its edge map

The file's metadata tells `datasets` which of them are images. All shards of a recipe have all
columns, so that they share one schema.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any, BinaryIO, cast

from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_parquet

from imagemill_contract.recipe_parts.given import ColumnKind, NamedKinds
from imagemill_worker.dataset.formats.parquet_table import (
    BATCH_NAME,
    METADATA_KEY,
    batch_of,
    columns_in,
    metadata,
    rows_of,
    sample_of,
    schema,
)
from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample, checked

# A writer holds a row group in memory, and a reader fetches it at once: the viewer of the Hugging
# Face Hub and streaming read whole groups. `datasets` writes 100 rows of images, fewer large ones.
_ROWS_PER_GROUP, _GROUP_BYTES = 100, 32 << 20
_ROWS_PER_BATCH, _BATCH_BYTES = 20, 8 << 20
_MAGIC = b"PAR1"


class Parquet:
    """Shards as Parquet files.

    They are not compressed, because pictures are already. The only checksum is that of the picture
    in its row. If the few bytes that tell null from value are damaged, parquet-rs may abort the
    process (SIGABRT): to be safe, compare the file's own checksum before reading.
    """

    extension = ".parquet"

    def write(
        self,
        file: BinaryIO,
        samples: Iterable[Sample],
        largest_bytes: int = ANY_BYTES,
        columns: NamedKinds = (),
        /,
    ) -> None:
        """As `DatasetFormat.write`."""
        rows_per_batch = _rows_within(_BATCH_BYTES, largest_bytes, _ROWS_PER_BATCH)
        output = _Output(file, tuple(columns))
        batches = output.batches(iter(samples), rows_per_batch)
        try:
            write_parquet(
                RecordBatchReader.from_batches(schema(output.columns), batches),
                cast("IO[bytes]", output),
                compression="uncompressed",
                dictionary_enabled=False,
                key_value_metadata={METADATA_KEY: metadata(rows_per_batch, output.columns)},
                max_row_group_size=_rows_within(_GROUP_BYTES, largest_bytes, _ROWS_PER_GROUP),
                skip_arrow_metadata=True,
            )
        finally:
            if output.error is not None:
                raise output.error from None

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """As `DatasetFormat.read`."""
        return checked(sample_of(row) for batch in _batches(file) for row in rows_of(batch))


class _Output(io.RawIOBase):
    """A file that keeps its errors, and those of the samples, for after the call of arro3.

    arro3 would panic at the former and turn the latter into a plain Exception.
    """

    def __init__(self, file: BinaryIO, columns: tuple[tuple[str, ColumnKind], ...]) -> None:
        self._file = file
        self.columns = columns
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
                yield batch_of(rows, self.columns)
        except BaseException as error:
            self.error = error
            raise


def _rows_within(most_bytes: int, row_bytes: int, most_rows: int) -> int:
    """How many rows have at most this many bytes together; at least one."""
    return max(1, min(most_rows, most_bytes // max(1, row_bytes)))


def _batches(file: BinaryIO) -> Iterator[RecordBatch]:
    _check_footer(file)
    try:
        metadata = json.loads(read_parquet(file).schema.metadata_str[METADATA_KEY])
        file.seek(0)
        reader = read_parquet(file, batch_size=int(metadata[BATCH_NAME]))
        if reader.schema.remove_metadata() != schema(columns_in(reader.schema)):
            raise ValueError("the columns are not those of a dataset")
        yield from reader
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            detail = str(error).partition("\n")[0]
            raise ValueError(f"the file cannot be read: {detail}") from error
        raise


def _check_footer(file: BinaryIO) -> None:
    """Raises ValueError for a file that is cut off, at which arro3 would panic."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, size_bytes - 8))
    tail = file.read(8)
    file.seek(0)
    footer_bytes = int.from_bytes(tail[:4], "little") + len(tail) + len(_MAGIC)
    if file.read(4) != _MAGIC or tail[4:] != _MAGIC or footer_bytes > size_bytes:
        raise ValueError("the file does not begin and end as a Parquet file")
