"""TFRecord: records with checksums, each a `tf.train.Example`."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import google_crc32c

from imagemill_contract.recipe_parts.given import NamedKinds
from imagemill_worker.dataset.formats.example import example_of, sample_of
from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample, checked

# Little-endian: the length of the data in bytes and its checksum; data and checksum follow.
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CHECKSUM.size


class TFRecord:
    """Shards as TFRecord files.

    Every bit of a record is covered by a checksum, but nothing says how many records there are: a
    file that is cut off between two records looks whole.
    """

    extension = ".tfrecord"

    def write(
        self,
        file: BinaryIO,
        samples: Iterable[Sample],
        _largest_bytes: int = ANY_BYTES,
        _columns: NamedKinds = (),
        /,
    ) -> None:
        """As `DatasetFormat.write`."""
        for sample in samples:
            data = example_of(sample)
            length = _LENGTH.pack(len(data))
            file.writelines((length, _checksum(length), data, _checksum(data)))

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """As `DatasetFormat.read`."""
        return checked(sample_of(data) for data in _records(file))


def _checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and with a constant added, so that a checksum of checksums is a good one."""
    crc = google_crc32c.value(data)
    return _CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _records(file: BinaryIO) -> Iterator[bytes]:
    while header := file.read(_HEADER_BYTES):
        length = header[: _LENGTH.size]
        if header[_LENGTH.size :] != _checksum(length):
            raise ValueError("the length of the record is damaged or cut off")
        (length_bytes,) = _LENGTH.unpack(length)
        data = file.read(length_bytes)
        if len(data) != length_bytes or file.read(_CHECKSUM.size) != _checksum(data):
            raise ValueError("the data of the record is damaged or cut off")
        yield data
