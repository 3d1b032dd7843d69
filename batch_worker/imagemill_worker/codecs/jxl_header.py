"""The size that a JPEG XL file declares (ISO/IEC 18181-1, SizeHeader).

Read here because the Pillow plugin decodes the whole file before it tells the size.
"""

from __future__ import annotations

from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import PictureError

_CODE_STREAM = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_BITS_OF_SIDE = (9, 13, 18, 30)


class _Bits:
    """Reads bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken

    def side(self, in_eighths: bool) -> int:
        if in_eighths:
            return 8 * (1 + self.take(5))
        return 1 + self.take(_BITS_OF_SIDE[self.take(2)])


def jxl_size(body: bytes) -> tuple[int, int]:
    """Width and height. Raises PictureError (`truncated` or `corrupt`)."""
    stream = _code_stream(body)
    if not stream.startswith(_CODE_STREAM):
        raise PictureError(Reason.CORRUPT, "The JPEG XL file has no code stream.")
    bits = _Bits(stream[2:14])
    in_eighths = bool(bits.take(1))
    height = bits.side(in_eighths)
    ratio = _RATIOS.get(bits.take(3))
    width = height * ratio[0] // ratio[1] if ratio else bits.side(in_eighths)
    return width, height


def _code_stream(body: bytes) -> bytes:
    """The first bytes of the code stream: of the file itself, or of the box that holds them."""
    if body.startswith(_CODE_STREAM):
        return body[:16]
    position = 0
    while position + 8 <= len(body):
        length, name = int.from_bytes(body[position : position + 4]), body[position + 4 :][:4]
        start = position + (16 if length == 1 else 8)
        if name == b"jxlc":
            return body[start : start + 16]
        if name == b"jxlp":  # after the number of the part
            return body[start + 4 : start + 20]
        if length == 1:
            length = int.from_bytes(body[position + 8 : position + 16])
        if length < 8:
            break
        position += length
    raise PictureError(Reason.TRUNCATED, "The JPEG XL file ends before its code stream.")
