"""The one field of a picture's metadata that changes how it looks: which way up it is."""

from __future__ import annotations

import re
import struct

ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation(block: bytes) -> int:
    """EXIF orientation, 1 to 8, in a TIFF-structured block; 0 if it is absent or broken.

    Skips a leading `Exif` with two zero bytes, which JPEG demands and some writers also put into
    other files.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 0
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, offset)
        for index in range(entries):
            position = offset + 2 + 12 * index
            tag, field_type = struct.unpack_from(order + "HH", tiff, position)
            if tag == ORIENTATION and field_type in (_SHORT, _LONG):
                code = "H" if field_type == _SHORT else "I"
                (value,) = struct.unpack_from(order + code, tiff, position + 8)
                return value if 1 <= value <= 8 else 0
    except struct.error:
        return 0
    return 0


def xmp_orientation(packet: bytes) -> int:
    """The orientation in an XMP packet, for files without EXIF; 0 if there is none."""
    found = _XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else 0


def png_exif(body: bytes) -> bytes:
    """Content of the first eXIf chunk of a PNG file, wherever it is; empty if there is none."""
    position = 8
    while position + 12 <= len(body):
        length = int.from_bytes(body[position : position + 4])
        if body[position + 4 : position + 8] == b"eXIf":
            return body[position + 8 : position + 8 + length]
        position += 12 + length
    return b""
