"""Outcomes: what became of each object of a shard, in each stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import repeat
from typing import Any, NamedTuple

from imagemill_contract.document_parts.pictures import (
    Area,
    Original,
    Rendition,
    area_of,
    rendition_of,
)
from imagemill_contract.errors import DocumentError
from imagemill_contract.recipe_parts.given import Scores


class Status(StrEnum):
    WRITTEN = "written"
    SKIPPED = "skipped"  # nothing was to be done
    REJECTED = "rejected"  # the picture is bad
    FAILED = "failed"  # the attempt was given up


class Reason(StrEnum):
    """Why an object was not written. A closed list; the detail beside it is for people."""

    # rejected: the picture
    UNSUPPORTED_FORMAT = "unsupported_format"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    EMPTY = "empty"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_SMALL = "too_small"
    DECODER_CRASHED = "decoder_crashed"
    DECODER_TIMEOUT = "decoder_timeout"
    NOT_FINITE = "not_finite"  # what the model gave is no number
    NOT_KEPT = "not_kept"  # what the recipe asks of its scores does not hold
    # rejected: the object
    GONE = "gone"
    CHANGED = "changed"
    UNREADABLE_KEY = "unreadable_key"
    KEY_COLLISION = "key_collision"
    NO_LABEL = "no_label"
    NO_ROW = "no_row"  # neither manifest nor side-car files say anything of its columns
    BAD_ROW = "bad_row"  # they say what cannot be a value
    DUPLICATE = "duplicate"  # another object of the run has the same bytes
    # skipped
    NO_RESIZED_IMAGE = "no_resized_image"
    NO_MODEL_OUTPUT = "no_model_output"
    NO_EARLIER_RESULT = "no_earlier_result"  # of another stage
    # failed
    ACCESS_DENIED = "access_denied"
    STORE_ERROR = "store_error"  # the store answers an error for this object, and not for others
    DAMAGED = "damaged"  # what was read is not what was written, however often it is read
    OVERWRITTEN = "overwritten"  # by a run with another recipe, at the same time
    JOB_FAILED = "job_failed"


# The fingerprint of a picture that is all of one brightness.
PLAIN = "plain"

# Millions of rows are read: this is quicker than a call of the class.
_STATUSES: Mapping[object, Status] = {str(status): status for status in Status}


class Outcome(NamedTuple):  # of millions: a frozen dataclass takes three times as long to make
    """One row of an outcome document.

    Attributes:
        key: The source object's whole key.
        status: What became of it.
        reason: Why it was not written; None for written ones.
        detail: One sentence for people, or empty.
        output_key: Whole key of what was written, or of the shard that it was packed into, or None.
        output_bytes: Length of what was written.
        width: Pixels of what was written.
        height: Pixels of what was written.
        sha256: Hexadecimal digest of what was written or packed, or empty.
        etag: S3's ETag of what was written, without quotes; empty in folders and datasets.
        position: Place among what was packed into the same shard, from 0, or None.
        area: Left, top, width and height of the picture within its padding; None without padding.
        fingerprint: 64 bits of the resized picture as 16 hexadecimal digits, `PLAIN`, or empty.
        original: What the picture was before it was resized; of the resize stage alone.
        smaller: The other sizes, the largest of them first, if the recipe has several.
        scores: What a model says of the picture, if it gives scores: all, or the best of them.
    """

    key: str
    status: Status
    reason: Reason | None = None
    detail: str = ""
    output_key: str | None = None
    output_bytes: int = 0
    width: int = 0
    height: int = 0
    sha256: str = ""
    etag: str = ""
    position: int | None = None
    area: Area | None = None
    fingerprint: str = ""
    original: Original | None = None
    smaller: tuple[Rendition, ...] = ()
    scores: Scores | None = None

    @property
    def sizes(self) -> tuple[Outcome | Rendition, ...]:
        """What was written in each size, the largest first."""
        largest: tuple[Outcome | Rendition, ...] = (self,)
        return largest + self.smaller

    @property
    def total_bytes(self) -> int:
        """Length of what was written, in all sizes."""
        return self.output_bytes + sum([item.output_bytes for item in self.smaller])

    def to_row(self) -> dict[str, object]:
        """The row as JSON values, without empty ones."""
        row: dict[str, object] = {"key": self.key}
        row |= {name: value for name, value in zip(self._fields, self, strict=True) if value}
        if self.position is not None:
            row["position"] = self.position
        return row

    def to_values(self) -> list[object]:
        """The fields in their order as JSON values, but for the last ones that are as usual."""
        values: list[object] = list(self)
        while values[-1] == _USUAL[len(values) - 1]:
            values.pop()
        return values

    @classmethod
    def from_values(cls, values: list[Any]) -> Outcome:
        """The outcome. Raises DocumentError for values of another shape."""
        return outcomes_of([values])[0]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Outcome:
        """The outcome; `row` is used up. Raises DocumentError for a row of another shape."""
        values = [row.pop(name, usual) for name, usual in zip(cls._fields, _USUAL, strict=True)]
        if row or values[0] is None:
            raise DocumentError(f"Outcome {values!r} cannot be read: it has no key, or {row!r}.")
        return cls.from_values(values)


# What a field has that nobody has given; of key and status there is no such value.
_USUAL: list[Any] = [Outcome._field_defaults.get(name) for name in Outcome._fields]
_STATUS = Outcome._fields.index("status")
_READERS: Mapping[int, Callable[[Any], object]] = {
    Outcome._fields.index(name): read
    for name, read in {
        "reason": Reason,
        "area": area_of,
        "original": Original._make,
        "smaller": lambda values: tuple(map(rendition_of, values)),
    }.items()
}


def outcome_columns(outcomes: Sequence[Outcome]) -> Any:
    """Outcomes turned: an `Outcome` in which each field has the values of all of them."""
    return Outcome._make(zip(*outcomes, strict=True) if outcomes else repeat((), len(_USUAL)))


def outcome_at(columns: Any, place: int) -> Outcome:
    """One of those whose columns these are."""
    return Outcome._make([column[place] for column in columns])


def outcomes_of(rows: Sequence[list[Any]]) -> list[Outcome]:
    """The outcomes whose values are given, column by column: there are millions.

    Raises DocumentError for values of another shape.
    """
    if not rows:
        return []
    try:
        width = max(map(len, rows))
        if not _STATUS < width <= len(_USUAL):
            raise ValueError(f"{width} values")
        if min(map(len, rows)) < width:
            rows = [row + _USUAL[len(row) : width] for row in rows]
        columns: list[Any] = list(zip(*rows, strict=True))
        columns[_STATUS] = list(map(_STATUSES.__getitem__, columns[_STATUS]))
        for place, read in _READERS.items():
            column, usual = columns[place : place + 1], _USUAL[place]
            if column and column[0].count(usual) < len(rows):
                columns[place] = [read(value) if value else usual for value in column[0]]
        columns += map(repeat, _USUAL[width:])
        return list(map(tuple.__new__, repeat(Outcome), zip(*columns, strict=False)))
    except (LookupError, ValueError, TypeError) as error:
        raise DocumentError(f"Outcomes cannot be read: {error!r}.") from error
