"""The fields of a TIFF file's first picture, read in one walk over its first directory.

Classic files are as in TIFF 6.0, section 2; BigTIFF has the same in words of 64 bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import PictureError

BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, PLANAR_CONFIGURATION = 258, 259, 262, 284
SAMPLE_FORMAT, YCBCR_SUBSAMPLING = 339, 530
WIDTH, HEIGHT, STRIP_BYTES = 256, 257, 279
_SEGMENTS = ((273, STRIP_BYTES), (324, 325))  # offsets and lengths, of strips and of tiles

# Size, layout, tables, palette, colours and profile: pixels are wrong without these.
_OF_PICTURE = frozenset({
    256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 301, 317, 318, 319, 320,
    322, 323, 324, 325, 332, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530,
    531, 532, 34675,
})  # fmt: skip
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
               13: 4, 16: 8, 17: 8, 18: 8}  # fmt: skip
_WHOLE_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
_MOST_FIELDS = 65_535  # as many as a classic file can have

Numbers = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Field:
    """An entry of a directory. `value` is in the file's byte order; `kind` is the type's number."""

    kind: int
    count: int
    value: memoryview


@dataclass(frozen=True, slots=True)
class TiffDirectory:
    """The fields that make the picture, by tag.

    Attributes:
        order: Byte order, `<` or `>`.
    """

    order: str
    is_big: bool
    fields: dict[int, Field]

    def numbers(self, tag: int, most: int = -1) -> Numbers:
        """Values of a field, `most` of them; empty where there is none, or of other numbers."""
        field = self.fields.get(tag)
        if field is None or field.kind not in _WHOLE_NUMBERS:
            return np.empty(0, np.uint64)
        dtype = self.order + _WHOLE_NUMBERS[field.kind]
        count = min(field.count, most) if most >= 0 else field.count
        return np.frombuffer(field.value, dtype, count).astype(np.uint64)

    def number(self, tag: int, default: int) -> int:
        """The first value of a field."""
        found = self.numbers(tag, 1)
        return int(found[0]) if len(found) else default

    def ends_within(self, file_bytes: int) -> bool:
        """Whether every strip and tile ends before the file does."""
        for tags in _SEGMENTS:
            offsets, lengths = map(self.numbers, tags)
            lengths = np.pad(lengths[: len(offsets)], (0, max(len(offsets) - len(lengths), 0)))
            lost = (
                (offsets > file_bytes) | (lengths > file_bytes) | (offsets + lengths > file_bytes)
            )
            if lost.any():
                return False
        return True


def read_directory(body: bytes) -> TiffDirectory:
    """Read the fields that make the picture.

    Raises:
        PictureError: `truncated` where a field is not in the file, or `corrupt`.
    """
    order = "<" if body.startswith(b"II") else ">"
    try:
        is_big = struct.unpack_from(order + "H", body, 2) == (43,)
        (position,) = struct.unpack_from(order + ("8xQ" if is_big else "4xI"), body)
        (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), body, position)
        if count > _MOST_FIELDS:
            raise PictureError(Reason.CORRUPT, f"The TIFF file's directory has {count} fields.")
        entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
        fields: dict[int, Field] = {}
        for index in range(count):
            at = position + (8 if is_big else 2) + index * entry.size
            tag, kind, values, inline = entry.unpack_from(body, at)
            if tag in _OF_PICTURE and kind in _TYPE_BYTES and tag not in fields:
                length = values * _TYPE_BYTES[kind]
                start = _start(order, inline, at + entry.size - len(inline), length)
                fields[tag] = Field(kind, values, _part(body, start, length))
    except (struct.error, OverflowError) as error:
        raise ends_early() from error
    return TiffDirectory(order, is_big, fields)


def ends_early() -> PictureError:
    return PictureError(Reason.TRUNCATED, "The TIFF file ends before its last pixel.")


def _start(order: str, inline: bytes, inline_at: int, length: int) -> int:
    """Where a value lies: in its entry if it fits there, or else where the entry points."""
    if length <= len(inline):
        return inline_at
    (offset,) = struct.unpack(order + ("I" if len(inline) == 4 else "Q"), inline)
    return int(offset)


def _part(body: bytes, start: int, length: int) -> memoryview:
    if start + length > len(body):
        raise ends_early()
    return memoryview(body)[start : start + length]
