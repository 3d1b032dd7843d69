"""Outcomes: what became of each object of a shard, in each stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

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


class Original(NamedTuple):
    """What a picture was before it was resized.

    Attributes:
        width: Pixels, of the upright picture.
        height: Pixels.
        taken: When it was taken, as EXIF has it: `2026-11-30T14:05:00+01:00`, perhaps without the
            offset from UTC; or empty.
    """

    width: int
    height: int
    taken: str = ""


# Left, top, width and height of a picture within its padding, in pixels
Area = tuple[int, int, int, int]


class Rendition(NamedTuple):
    """One of the smaller sizes; attributes as those of an outcome, which has the largest."""

    output_key: str | None
    output_bytes: int
    width: int
    height: int
    sha256: str
    etag: str = ""
    area: Area | None = None


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

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Outcome:
        """The outcome; `row` is used up. Raises DocumentError for a row of another shape."""
        try:
            row["status"] = _STATUSES[row["status"]]  # in place: a copy takes half of the time
            if "reason" in row:
                row["reason"] = Reason(row["reason"])
            if "area" in row:
                row["area"] = _area_of(row["area"])
            if "original" in row:
                row["original"] = Original(*row["original"])
            if "smaller" in row:
                row["smaller"] = tuple(map(_rendition_of, row["smaller"]))
            return cls(**row)
        except (KeyError, ValueError, TypeError) as error:
            raise DocumentError(f"Outcome row {row!r} cannot be read: {error}.") from error


def fingerprint_in(outcomes: Iterable[Outcome]) -> str:
    """The fingerprint that a stage has left of an object, or an empty text."""
    for outcome in outcomes:
        if outcome.fingerprint:
            return outcome.fingerprint
    return ""


def original_in(outcomes: Iterable[Outcome]) -> Original | None:
    """What a picture was before it was resized, if a stage has left that."""
    for outcome in outcomes:
        if outcome.original:
            return outcome.original
    return None


def _rendition_of(values: Sequence[Any]) -> Rendition:
    """A rendition as a document has it. Raises TypeError or ValueError for another shape."""
    *others, area = values
    return Rendition._make([*others, None if area is None else _area_of(area)])


def _area_of(value: object) -> Area:
    """Raises ValueError unless it is a list of four numbers."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(value)
    left, top, width, height = value
    return left, top, width, height
