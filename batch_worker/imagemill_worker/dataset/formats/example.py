"""A sample as a `tf.train.Example`, and back.

The features have the names from TensorFlow's scripts for ImageNet and object detection, and similar
names for the edge map. Each holds one value, but for those of a model. Columns have their own
names, which have no slash.

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
    features           float    the vector that a model gives, if it does
    scores             float    the scores that it gives, in the order of its labels
    model/encoded      bytes    the file of the picture that it draws, if it does
    model/format       bytes    png
    image/64/encoded   bytes    the picture's file in another size, if there are any
    edge/64/encoded    bytes    the file of its edge map
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from google.protobuf import message  # type: ignore[import-untyped] # protobuf ships no types

from imagemill_contract.recipe_parts.given import (
    DRAWING,
    SCORES,
    VECTOR,
    VECTOR_FEATURE,
    SampleValue,
    size_in,
)
from imagemill_worker.dataset.formats.example_message import example_class
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import npy_file, vector_in

_FORMAT_NAMES = {"jpg": "jpeg", "png": "png", "webp": "webp"}
_Feature = bytes | int | float | list[float]
# Features of what a model gives that are not called like their columns.
_VECTOR, _DRAWING = VECTOR_FEATURE, "model/encoded"
_NUMBERS = ("float_list", None)  # None: of none at all
_SIZED = re.compile(r"(image|edge)/([0-9]+)/encoded")
_IMAGE_FORMATS = {name: image_format for image_format, name in _FORMAT_NAMES.items()}


def example_of(sample: Sample) -> bytes:
    """The message of a sample."""
    values: dict[str, _Feature] = {
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
            values |= _features_of(name, said)
    example = example_class()()
    for name, value in sorted(values.items()):
        feature = example.features.feature.add(key=name).value
        if isinstance(value, list):
            feature.float_list.value.extend(value)
        else:
            getattr(feature, _list_of(value)).value.append(value)
    return bytes(example.SerializeToString())


def _features_of(name: str, said: SampleValue) -> dict[str, _Feature]:
    """A column's features, by name."""
    if name == DRAWING and isinstance(said, bytes):
        return {_DRAWING: said, "model/format": b"png"}
    sized = size_in(name)
    if sized and isinstance(said, bytes):
        return {f"{sized[0]}/{sized[1]}/encoded": said}
    if name == VECTOR and isinstance(said, bytes):
        return {_VECTOR: vector_in(said).astype(float).tolist()}
    if isinstance(said, str):
        return {name: said.encode()}
    if isinstance(said, Mapping):
        return {name: list(said.values())}
    if isinstance(said, Sequence):
        return {name: [*map(float, said)]}
    return {} if said is None else {name: int(said) if isinstance(said, bool) else said}


def _list_of(value: bytes | int | float) -> str:
    if isinstance(value, bytes):
        return "bytes_list"
    return "float_list" if isinstance(value, float) else "int64_list"


def sample_of(data: bytes) -> Sample:
    """The sample of a message. Raises ValueError for another one."""
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
        columns=_columns_in(feature),
    )


def _columns_in(feature: dict[str, Any]) -> dict[str, SampleValue]:
    """Columns by name: a single number in `features`, which may be either, has both names."""
    columns: dict[str, SampleValue] = {}
    for name in feature:
        if _is_given(feature, name):
            numbers = list(feature[name].float_list.value)
            columns |= {VECTOR: _vector(numbers)} if name == _VECTOR else {name: numbers}
            if name == _VECTOR and len(numbers) == 1:
                columns[name] = numbers[0]
        elif "/" not in name:
            columns[name] = _column(feature, name)
        elif sized := _SIZED.fullmatch(name):
            columns[f"{sized[1]}_{sized[2]}"] = _bytes_in(feature, name)
    if _DRAWING in feature:
        columns[DRAWING] = _bytes_in(feature, _DRAWING)
    return columns


def _is_given(feature: dict[str, Any], name: str) -> bool:
    """Whether a model gave it: a person's column may have the same name, and has one value.

    With one number in `scores`, a model gives `score`, too.
    """
    if name not in (_VECTOR, SCORES) or feature[name].WhichOneof("kind") not in _NUMBERS:
        return False
    return name == _VECTOR or len(feature[name].float_list.value) != 1 or "score" in feature


def _vector(numbers: Sequence[float]) -> bytes:
    return npy_file(np.array(numbers, np.float16))


def _column(feature: dict[str, Any], name: str) -> str | int | float:
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
