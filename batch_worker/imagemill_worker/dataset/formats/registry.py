"""The formats of dataset shards. A format's libraries are imported when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO, Protocol

from imagemill_contract.recipe_parts.given import NamedKinds
from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample


class DatasetFormat(Protocol):
    """Writes and reads one shard file. The same samples always give the same bytes."""

    extension: str
    """The extension of the shard's file name, with its dot."""

    def write(
        self,
        file: BinaryIO,
        samples: Iterable[Sample],
        largest_bytes: int = ANY_BYTES,
        columns: NamedKinds = (),
        /,
    ) -> None:
        """Write a shard at the file's position, holding few samples in memory.

        `largest_bytes` is the most that the files of a sample have together. A format that
        holds several samples at once holds fewer of them if they are large. `columns` are those
        that all samples have, each with a value or None.

        What `samples` or the file raises is passed on; the file is useless then.
        """
        ...

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """The samples of a shard, as they were written, with a bounded number in memory.

        `file` is seekable, at its beginning, and holds nothing but the shard.

        Raises:
            DamagedShardError: The shard is damaged; the samples before are whole.
        """
        ...


def _webdataset() -> DatasetFormat:
    from imagemill_worker.dataset.formats.webdataset import WebDataset

    return WebDataset()


def _tfrecord() -> DatasetFormat:
    from imagemill_worker.dataset.formats.tfrecord import TFRecord

    return TFRecord()


def _parquet() -> DatasetFormat:
    from imagemill_worker.dataset.formats.parquet import Parquet

    return Parquet()


FORMATS: Mapping[str, Callable[[], DatasetFormat]] = MappingProxyType(
    {"webdataset": _webdataset, "tfrecord": _tfrecord, "parquet": _parquet}
)


def dataset_format(name: str) -> DatasetFormat:
    """The format of that name, one of `FORMATS`. Raises KeyError for another."""
    return FORMATS[name]()
