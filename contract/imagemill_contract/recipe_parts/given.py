"""What a model gives for a picture, as columns of its sample."""

from __future__ import annotations

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
    PICTURE = "picture"  # its value is a PNG file


# Lists, by the type of what is in them as Hugging Face `datasets` calls it.
HUB_LISTS = {GivenType.VECTOR: "float16", GivenType.SCORES: "float64"}

ColumnKind = ColumnType | GivenType
NamedKinds = Sequence[tuple[str, ColumnKind]]

VECTOR, DRAWING, SCORES = "vector", "model", "scores"

_COLUMNS: Mapping[ModelOutput, tuple[tuple[str, ColumnKind], ...]] = {
    ModelOutput.VECTOR: ((VECTOR, GivenType.VECTOR),),
    ModelOutput.SCORES: (
        ("predicted", ColumnType.TEXT),  # the best label
        ("score", ColumnType.FLOAT),  # where there is one
        (SCORES, GivenType.SCORES),
    ),
    ModelOutput.IMAGE: ((DRAWING, GivenType.PICTURE),),
}
_PYTHON_TYPES: Mapping[GivenType, tuple[type, ...]] = {
    GivenType.VECTOR: (bytes,),
    GivenType.SCORES: (dict, list, tuple),
    GivenType.PICTURE: (bytes,),
}


def given_columns(model: str, output: ModelOutput) -> tuple[tuple[str, ColumnKind], ...]:
    """The columns of what a model gives, sorted by name; none without a model."""
    return _COLUMNS[output] if model else ()


def fitted_value(value: SampleValue, kind: ColumnKind) -> SampleValue:
    """A value of an earlier recipe as a column's type of today, or None if it is none."""
    if isinstance(kind, GivenType):
        return value if isinstance(value, _PYTHON_TYPES[kind]) else None
    return fitted(value, kind) if value is None or isinstance(value, str | int | float) else None
