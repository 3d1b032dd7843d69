"""What a JPEG file says of itself before its pixels: one walk over its segments (ITU-T T.81)."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill_contract.outcomes import Reason
from imagemill_worker import exif
from imagemill_worker.errors import PictureError

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_APP1, _APP2 = 0xE1, 0xE2
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_EXIF = b"Exif\0\0"
_ICC = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Size as stored, before orientation.

    Attributes:
        width: Pixels.
        height: Pixels.
        components: 1 grey, 3 colour, 4 CMYK or YCCK.
        bits: Of one sample; libjpeg-turbo as built for this worker decodes 8.
        orientation: 1 to 8, as in EXIF.
        icc_profile: Embedded colour profile, or empty.
    """

    width: int
    height: int
    components: int
    bits: int
    orientation: int
    icc_profile: bytes


def read_jpeg_header(body: bytes) -> JpegHeader:
    """Raises PictureError (`truncated` or `corrupt`) where there is no frame header."""
    position, orientation = 2, 0
    chunks: dict[int, bytes] = {}
    frame: tuple[int, int, int, int] | None = None
    while frame is None or position < len(body):
        marker, start, end = _next_segment(body, position)
        if marker in _START_OF_FRAME:
            frame = _frame(body[start:end])
        elif marker == _APP1 and not orientation and body.startswith(_EXIF, start):
            orientation = exif.orientation(body[start + len(_EXIF) : end])
        elif marker == _APP2 and body.startswith(_ICC, start):
            number = start + len(_ICC)
            chunks.setdefault(body[number], body[number + 2 : end])
        elif marker in (_START_OF_SCAN, _END_OF_IMAGE):
            break
        position = end
    if frame is None:
        raise PictureError(Reason.CORRUPT, "The JPEG file has no frame header before its pixels.")
    bits, height, width, components = frame
    profile = b"".join(chunks[number] for number in sorted(chunks))
    return JpegHeader(width, height, components, bits, orientation or 1, profile)


def _next_segment(body: bytes, position: int) -> tuple[int, int, int]:
    """Marker, start and end of the content of the segment at or after `position`."""
    start = body.find(b"\xff", position)
    while 0 <= start < len(body) - 1 and body[start + 1] in (0x00, 0xFF):
        start = body.find(b"\xff", start + 1)
    if start < 0 or start + 2 > len(body):
        raise PictureError(Reason.TRUNCATED, "The JPEG file ends within its header.")
    marker = body[start + 1]
    if marker in _ALONE or marker == _END_OF_IMAGE:
        return marker, start + 2, start + 2
    length = int.from_bytes(body[start + 2 : start + 4])
    end = start + 2 + length
    if end > len(body):
        raise PictureError(Reason.TRUNCATED, "The JPEG file ends within its header.")
    return marker, start + 4, max(end, start + 4)


def _frame(content: bytes) -> tuple[int, int, int, int]:
    """Bits of a sample, height, width and number of components."""
    if len(content) < 6:
        raise PictureError(Reason.CORRUPT, "The JPEG file's frame header is too short.")
    return content[0], int.from_bytes(content[1:3]), int.from_bytes(content[3:5]), content[5]
