"""TFRecord: records with checksums, each a `tf.train.Example`.

The features have the names from TensorFlow's scripts for ImageNet and object detection, and similar
names for the edge map. Each holds one value. Columns have their own names, which have no slash.

    image/encoded      bytes    the picture's file
    image/format       bytes    jpeg, png or webp
    image/height       int64    pixels
    image/width        int64    pixels
    image/filename     bytes    source key below the source, UTF-8
    image/key          bytes    the sample's key
    image/key/sha256   bytes    SHA-256 of the picture's file, hexadecimal
    edge/encoded       bytes    the edge map's file
    edge/format        bytes    png
    image/class/label  int64    the number of the class, if there is one
    image/class/text   bytes    the name of the class, if there is one
    <column>           bytes, int64 or float, by its type; left out where it has no value
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, cast

import google_crc32c
from google.protobuf import message  # type: ignore[import-untyped] # protobuf ships no types

from imagemill_contract.recipe_parts.columns import NamedTypes, Value
from imagemill_worker.dataset.formats.example_message import example_class
from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample, checked

# Little-endian: the length of the data in bytes and its checksum; data and checksum follow.
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CHECKSUM.size

_FORMAT_NAMES = {"jpg": "jpeg", "png": "png", "webp": "webp"}
_IMAGE_FORMATS = {name: image_format for image_format, name in _FORMAT_NAMES.items()}


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
        _columns: NamedTypes = (),
        /,
    ) -> None:
        """As `DatasetFormat.write`."""
        for sample in samples:
            data = _example_of(sample)
            length = _LENGTH.pack(len(data))
            file.writelines((length, _checksum(length), data, _checksum(data)))

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """As `DatasetFormat.read`."""
        return checked(_sample(data) for data in _records(file))


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


def _example_of(sample: Sample) -> bytes:
    values: dict[str, bytes | int | float] = {
        "image/encoded": sample.image,
        "image/format": _FORMAT_NAMES[sample.image_format].encode(),
        "image/filename": sample.filename.encode(),
        "image/key": sample.key.encode(),
        "image/key/sha256": sample.sha256.encode(),
        "edge/encoded": sample.edge,
        "edge/format": b"png",
        "image/height": sample.height,
        "image/width": sample.width,
    }
    if sample.label is not None:
        values["image/class/text"] = sample.label_text.encode()
        values["image/class/label"] = sample.label
    for name, said in sample.columns.items():
        if said is not None:
            number = int(said) if isinstance(said, bool) else said
            values[name] = number.encode() if isinstance(number, str) else number
    example = example_class()()
    for name, value in sorted(values.items()):
        feature = example.features.feature.add(key=name).value
        getattr(feature, _list_of(value)).value.append(value)
    return bytes(example.SerializeToString())


def _list_of(value: bytes | int | float) -> str:
    if isinstance(value, bytes):
        return "bytes_list"
    return "float_list" if isinstance(value, float) else "int64_list"


def _sample(data: bytes) -> Sample:
    example = example_class()()
    try:
        example.ParseFromString(data)
    except message.DecodeError as error:
        raise ValueError("the record is not a tf.train.Example") from error
    feature = {entry.key: entry.value for entry in example.features.feature}
    labelled = "image/class/label" in feature
    return Sample(
        key=_bytes_in(feature, "image/key").decode(),
        filename=_bytes_in(feature, "image/filename").decode(),
        image=_bytes_in(feature, "image/encoded"),
        image_format=_image_format(_bytes_in(feature, "image/format").decode()),
        edge=_bytes_in(feature, "edge/encoded"),
        width=_number_in(feature, "image/width"),
        height=_number_in(feature, "image/height"),
        sha256=_bytes_in(feature, "image/key/sha256").decode(),
        label=_number_in(feature, "image/class/label") if labelled else None,
        label_text=_bytes_in(feature, "image/class/text").decode() if labelled else "",
        columns={name: _column(feature, name) for name in feature if "/" not in name},
    )


def _column(feature: dict[str, Any], name: str) -> Value:
    kind = feature[name].WhichOneof("kind")
    values: Sequence[Any] = getattr(feature[name], kind).value if kind else ()
    if len(values) != 1:
        raise ValueError(f"the column {name!r} is not one value")
    return bytes(values[0]).decode() if kind == "bytes_list" else cast("int | float", values[0])


def _image_format(name: str) -> str:
    if name not in _IMAGE_FORMATS:
        raise ValueError(f"the format of the image is {name!r}")
    return _IMAGE_FORMATS[name]


def _bytes_in(feature: dict[str, Any], name: str) -> bytes:
    values: Sequence[bytes] = feature[name].bytes_list.value if name in feature else ()
    if len(values) != 1:
        raise ValueError(f"the feature {name!r} is not one byte string")
    return bytes(values[0])


def _number_in(feature: dict[str, Any], name: str) -> int:
    values: Sequence[int] = feature[name].int64_list.value if name in feature else ()
    if len(values) != 1:
        raise ValueError(f"the feature {name!r} is not one whole number")
    return int(values[0])
