"""What an outcome says of pictures: what one was, and the sizes that became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


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


def rendition_of(values: Sequence[Any]) -> Rendition:
    """A rendition as a document has it. Raises TypeError or ValueError for another shape."""
    *others, area = values
    return Rendition._make([*others, None if area is None else area_of(area)])


def area_of(value: object) -> Area:
    """Raises ValueError unless it is a list of four numbers."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(value)
    left, top, width, height = value
    return left, top, width, height
