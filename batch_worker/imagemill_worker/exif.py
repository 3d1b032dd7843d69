"""The one EXIF field that changes how a picture looks: which way up it is."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4


def orientation(block: bytes) -> int:
    """EXIF orientation 1 to 8 of a TIFF-structured block; 1 where it is absent or broken.

    A leading `Exif\\0\\0`, which JPEG demands and some WebP writers leave in, is skipped.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, offset)
        for index in range(entries):
            position = offset + 2 + 12 * index
            tag, field_type = struct.unpack_from(order + "HH", tiff, position)
            if tag == _ORIENTATION and field_type in (_SHORT, _LONG):
                code = "H" if field_type == _SHORT else "I"
                (value,) = struct.unpack_from(order + code, tiff, position + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
