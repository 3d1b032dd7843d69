"""The header of a JPEG file, read in one walk over its segments (ITU-T T.81)."""

from __future__ import annotations

from dataclasses import dataclass, field

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs import exif
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS = 0xC3
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})
_ARITHMETIC_LOSSLESS = 0xCB
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_APP1, _APP2 = 0xE1, 0xE2
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"


@dataclass(slots=True)
class JpegHeader:
    """Size as stored, before orientation.

    Attributes:
        width: Pixels.
        height: Pixels.
        components: 1 grey, 3 colour, 4 CMYK or YCCK.
        is_progressive: Whether all coefficients are in memory before the first pixel is.
        orientation: 1 to 8, as in EXIF.
        icc_profile: Embedded colour profile, or empty.
        taken: When it was taken, or empty.
    """

    width: int = 0
    height: int = 0
    components: int = 0
    is_progressive: bool = False
    is_lossless: bool = False
    taken: str = ""
    _exif_orientation: int = 0
    _xmp_orientation: int = 0
    _icc_parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def orientation(self) -> int:
        return self._exif_orientation or self._xmp_orientation or 1

    @property
    def icc_profile(self) -> bytes:
        return b"".join(part for _, part in sorted(self._icc_parts.items()))

    def take_frame(self, marker: int, content: bytes) -> None:
        if len(content) < 6:
            raise PictureError(Reason.CORRUPT, "The JPEG file's frame header is too short.")
        if kind := _unsupported_kind(marker, content[0]):
            raise PictureError(Reason.UNSUPPORTED_FORMAT, f"{kind} is not supported.")
        self.height = int.from_bytes(content[1:3])
        self.width = int.from_bytes(content[3:5])
        self.components = content[5]
        self.is_progressive = marker in _PROGRESSIVE
        self.is_lossless = marker == _LOSSLESS

    def take_application_data(self, marker: int, content: bytes) -> None:
        if marker == _APP1 and content.startswith(_EXIF):
            self._exif_orientation = self._exif_orientation or exif.orientation(content)
            self.taken = self.taken or exif.taken(content)
        elif marker == _APP1 and content.startswith(_XMP):
            self._xmp_orientation = self._xmp_orientation or exif.xmp_orientation(content)
        elif marker == _APP2 and content.startswith(_ICC) and len(content) > len(_ICC) + 2:
            self._icc_parts.setdefault(content[len(_ICC)], content[len(_ICC) + 2 :])


def read_jpeg_header(body: FileBytes) -> JpegHeader:
    """Raises PictureError: `truncated`, `corrupt` or `unsupported_format`."""
    header, position, marker = JpegHeader(), 2, 0
    while marker not in (_START_OF_SCAN, _END_OF_IMAGE):
        marker, start, position = next_segment(body, position)
        if marker in _START_OF_FRAME and not header.components:
            header.take_frame(marker, bytes(body[start:position]))
        elif marker in (_APP1, _APP2):
            header.take_application_data(marker, bytes(body[start:position]))
    if not header.components:
        raise PictureError(Reason.CORRUPT, "The JPEG file has no frame header before its pixels.")
    return header


def _unsupported_kind(marker: int, sample_bits: int) -> str:
    """What libjpeg-turbo cannot decode of a frame, or an empty word."""
    if marker in _HIERARCHICAL:
        return "Hierarchical JPEG"
    if marker == _ARITHMETIC_LOSSLESS:
        return "Lossless JPEG with arithmetic coding"
    return "" if sample_bits == 8 else f"JPEG with {sample_bits}-bit samples"


def next_segment(body: FileBytes, position: int) -> tuple[int, int, int]:
    """Marker, start and end of the content of the segment at or after `position`.

    Raises PictureError (`truncated`) if there is none.
    """
    length = len(body)
    while position + 4 <= length and not (body[position] == 0xFF and 0 < body[position + 1] < 0xFF):
        position += 1  # fill bytes, or garbage that decoders pass over
    if position + 4 > length:
        raise PictureError(Reason.TRUNCATED, "The JPEG file ends within its header.")
    marker = body[position + 1]
    if marker in _ALONE:
        return marker, position + 2, position + 2
    end = position + 2 + int.from_bytes(body[position + 2 : position + 4])
    if end > length:
        raise PictureError(Reason.TRUNCATED, "The JPEG file ends within its header.")
    return marker, position + 4, max(end, position + 4)
