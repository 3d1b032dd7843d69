"""What is read of a picture's metadata: which way up it is, and when it was taken."""

from __future__ import annotations

import re
import struct
from datetime import datetime

ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
_EXIF_DIRECTORY = 0x8769
# DateTimeOriginal and DateTimeDigitized, each with the tag of its offset from UTC
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012))
_DATE = re.compile(rb"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_ISO = b"%b-%b-%bT%b:%b:%b"
_OFFSET = re.compile(rb"[+-]\d\d:\d\d")
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


def taken(block: bytes) -> str:
    """When a picture was taken, by a TIFF-structured block: `2026-11-30T14:05:00`, or empty.

    With its offset from UTC, `+01:00`, where that is known.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return ""
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        inner = _directory(tiff, order, offset).get(_EXIF_DIRECTORY)
        texts = {} if inner is None else _directory(tiff, order, inner)
        for date_tag, offset_tag in _DATES:
            if date_tag in texts and (date := _date_at(tiff, texts[date_tag])):
                return date + _offset_at(tiff, texts.get(offset_tag))
    except struct.error:
        return ""
    return ""


def _directory(tiff: bytes, order: str, offset: int) -> dict[int, int]:
    """The number that each field of a directory has: a value, or where that lies."""
    (entries,) = struct.unpack_from(order + "H", tiff, offset)
    rows = struct.iter_unpack(order + "HHII", tiff[offset + 2 : offset + 2 + 12 * entries])
    return {tag: value for tag, _, _, value in rows}


def _date_at(tiff: bytes, at: int) -> str:
    found = _DATE.match(tiff, at)
    try:
        return datetime.fromisoformat((_ISO % found.groups()).decode()).isoformat() if found else ""
    except ValueError:  # as cameras write whose clock was not set
        return ""


def _offset_at(tiff: bytes, at: int | None) -> str:
    found = None if at is None else _OFFSET.match(tiff, at)
    return found[0].decode() if found else ""


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
