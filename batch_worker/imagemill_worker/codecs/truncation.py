"""Tells truncated from corrupt: whether a file ends before the end that it declares."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.codecs.tiff_directory import read_directory
from imagemill_worker.errors import PictureError


def is_cut_off(body: bytes, kind: Kind) -> bool:
    """Whether a file that failed to decode is cut off; False if the format does not tell."""
    match kind:
        case Kind.WEBP:
            return len(body) < 8 + int.from_bytes(body[4:8], "little")
        case Kind.PNG:
            return not _png_has_end(body)
        case Kind.TIFF:
            return _tiff_is_cut_off(body)
        case Kind.GIF:
            return b"\x3b" not in body[-16:]  # the trailer, and some padding
        case Kind.JPEG2000 if body.startswith(b"\xff\x4f"):
            return b"\xff\xd9" not in body[-16:]
        case Kind.JXL if body.startswith(b"\xff\x0a"):
            return False
        case Kind.AVIF | Kind.HEIF | Kind.JPEG2000 | Kind.JXL:
            return not _boxes_are_whole(body)
        case _:
            return False


def _png_has_end(body: bytes) -> bool:
    position = 8
    while position + 12 <= len(body):
        if body[position + 4 : position + 8] == b"IEND":
            return True
        position += 12 + int.from_bytes(body[position : position + 4])
    return False


def _tiff_is_cut_off(body: bytes) -> bool:
    try:
        return not read_directory(body).ends_within(len(body))
    except PictureError as error:
        return error.reason is Reason.TRUNCATED


def _boxes_are_whole(body: bytes) -> bool:
    """Whether all boxes of an ISO base media file (ISO/IEC 14496-12, 4.2) or a JP2 are whole."""
    position = 0
    while position + 8 <= len(body):
        length = int.from_bytes(body[position : position + 4])
        if length == 1:
            length = int.from_bytes(body[position + 8 : position + 16])
        if length == 0:  # up to the end of the file: the code stream of a JP2
            return b"\xff\xd9" in body[-16:]
        if length < 8:
            return True
        position += length
    return position == len(body)
