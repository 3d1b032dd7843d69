"""What a model gives for a picture, and its smaller sizes, as columns of its sample."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from imagemill_contract.recipe_parts.choices import ModelOutput
from imagemill_contract.recipe_parts.columns import ColumnType, Value, fitted

Scores = Mapping[str, float] | Sequence[float]
SampleValue = Value | bytes | Scores


class GivenType(StrEnum):
    """Types beside those that a person may name."""

    VECTOR = "vector"  # its value is a .npy file of float16
    SCORES = "scores"  # a number for each label, or numbers
    PICTURE = "picture"  # its value is a file


# Lists, by the type of what is in them as Hugging Face `datasets` calls it.
HUB_LISTS = {GivenType.VECTOR: "float16", GivenType.SCORES: "float64"}

ColumnKind = ColumnType | GivenType
NamedKinds = Sequence[tuple[str, ColumnKind]]

VECTOR, DRAWING, SCORES = "vector", "model", "scores"
VECTOR_FEATURE = "features"  # what TFRecord calls it
_ENDINGS = {VECTOR: "npy", DRAWING: "model.png"}

_COLUMNS: Mapping[ModelOutput, tuple[tuple[str, ColumnKind], ...]] = {
    ModelOutput.VECTOR: ((VECTOR, GivenType.VECTOR),),
    ModelOutput.SCORES: (
        ("predicted", ColumnType.TEXT),  # the best label
        ("score", ColumnType.FLOAT),  # where there is one
        (SCORES, GivenType.SCORES),
    ),
    ModelOutput.IMAGE: ((DRAWING, GivenType.PICTURE),),
}
_SIZED = re.compile(r"(image|edge)_([0-9]+)")
_PYTHON_TYPES: Mapping[GivenType, tuple[type, ...]] = {
    GivenType.VECTOR: (bytes,),
    GivenType.SCORES: (dict, list, tuple),
    GivenType.PICTURE: (bytes,),
}


def given_columns(model: str, output: ModelOutput) -> tuple[tuple[str, ColumnKind], ...]:
    """The columns of what a model gives, sorted by name; none without a model."""
    return _COLUMNS[output] if model else ()


def size_columns(sizes: Sequence[int]) -> tuple[tuple[str, ColumnKind], ...]:
    """Picture and edge map of each size but the largest, which is that of the sample itself."""
    return tuple(
        (f"{name}_{size}", GivenType.PICTURE) for size in sizes[:-1] for name in ("image", "edge")
    )


def size_in(column: str) -> tuple[str, int] | None:
    """`image` or `edge`, and the size, of a column of `size_columns`; None for another name."""
    found = _SIZED.fullmatch(column)
    return (found[1], int(found[2])) if found else None


def file_ending(column: str, image_format: str) -> str:
    """What follows the key in the name of a column's file; empty for a column without one."""
    if column in _ENDINGS:
        return _ENDINGS[column]
    sized = size_in(column)
    if sized is None:
        return ""
    name, size = sized
    return f"{size}.{image_format}" if name == "image" else f"{size}.edge.png"


def fitted_value(value: SampleValue, kind: ColumnKind) -> SampleValue:
    """A value of an earlier recipe as a column's type of today, or None if it is none."""
    if isinstance(kind, GivenType):
        return value if isinstance(value, _PYTHON_TYPES[kind]) else None
    return fitted(value, kind) if value is None or isinstance(value, str | int | float) else None
