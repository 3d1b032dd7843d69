"""Progressive JPEG files without the scans that do not matter for a small picture (ITU-T T.81).

Decoded at an eighth of its size, a block is one pixel: its mean, which is coefficient 0. Scans of
the other coefficients are most of such a file, and the slowest to decode. They are replaced by
scans that say in a few bytes that these coefficients are zero; if they were only left out,
libjpeg-turbo would guess them from the neighbours. No pixel changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from imagemill_worker.codecs.jpeg_header import next_segment
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes

_PROGRESSIVE_FRAME, _START_OF_SCAN = 0xC2, 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # a marker, but none of a restart
_COEFFICIENTS = 64
_UNKNOWN = 16  # more bits than a sample has
# No restarts, and a Huffman table with one code, a 0, for the longest run of empty blocks: its
# length, less 16,384, follows in 14 bits.
_TABLES_OF_EMPTY_SCANS = bytes.fromhex("ffdd00040000 ffc40014 10 01") + bytes(15) + b"\xe0"
_LONGEST_RUN, _LONGEST_RUN_BITS = 32_767, "0" + 14 * "1"


@dataclass(slots=True)
class _Component:
    """Sampling factors, and how many low bits of each coefficient no scan has brought yet."""

    horizontal: int
    vertical: int
    missing_bits: list[int] = field(default_factory=lambda: [_UNKNOWN] * _COEFFICIENTS)


@dataclass(slots=True)
class _Frame:
    height: int = 0
    width: int = 0
    components: dict[int, _Component] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Raises LookupError if the content is too short, ValueError if a factor is 0."""
        components = {}
        for row in range(6, 6 + 3 * content[5], 3):
            horizontal, vertical = divmod(content[row + 1], 16)
            if not horizontal or not vertical:
                raise ValueError("a component without samples")
            components[content[row]] = _Component(horizontal, vertical)
        return cls(int.from_bytes(content[1:3]), int.from_bytes(content[3:5]), components)

    def take_scan(self, content: bytes) -> int | None:
        """Note what a scan brings. Returns its component if it does not matter at an eighth.

        Raises LookupError or ValueError if the scan is not one of this frame.
        """
        count = content[0]
        names = [content[1 + 2 * place] for place in range(count)]
        first, last, bits = content[1 + 2 * count : 4 + 2 * count]
        for name in names:
            missing = self.components[name].missing_bits
            for coefficient in range(first, last + 1):
                missing[coefficient] = bits & 15
        return names[0] if first and self._has_one_pixel(names[0]) else None

    def is_whole(self) -> bool:
        return not any(any(one.missing_bits) for one in self.components.values())

    def empty_scan(self, name: int) -> bytes:
        """A scan that says of all coefficients of a component but the first that they are 0."""
        width, height = self._blocks(name)
        bits = _LONGEST_RUN_BITS * -(-width * height // _LONGEST_RUN)
        bits += "1" * (-len(bits) % 8)
        data = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
        return bytes((0xFF, _START_OF_SCAN, 0, 8, 1, name, 0, 1, _COEFFICIENTS - 1, 0)) + data

    def _has_one_pixel(self, name: int) -> bool:
        """Whether a block becomes one pixel; of colours with half the sides it becomes four."""
        widest, highest = self._largest_factors()
        own = self.components[name]
        return own.horizontal == widest or own.vertical == highest

    def _blocks(self, name: int) -> tuple[int, int]:
        widest, highest = self._largest_factors()
        own = self.components[name]
        width = -(-self.width * own.horizontal // widest)
        height = -(-self.height * own.vertical // highest)
        return -(-width // 8), -(-height // 8)

    def _largest_factors(self) -> tuple[int, int]:
        parts = self.components.values()
        return max(one.horizontal for one in parts), max(one.vertical for one in parts)


def without_detail(body: FileBytes) -> FileBytes:
    """The file without scans that do not matter at an eighth of its size.

    Returns `body` itself unless it is a progressive file in which all scans are there.
    """
    try:
        return _shortened(body)
    except (PictureError, LookupError, ValueError):
        return body


def _shortened(body: FileBytes) -> FileBytes:
    frame, emptied = _Frame(), set()
    kept: list[FileBytes] = [body[:2]]
    end = 2
    while bytes(body[end : end + 2]) != _END_OF_IMAGE:
        marker, start, end = next_segment(body, end)
        content = bytes(body[start:end])
        name = None
        if marker == _PROGRESSIVE_FRAME:
            frame = _Frame.of(content)
        elif marker == _START_OF_SCAN:
            name = frame.take_scan(content)
            end = _end_of_scan(body, end)
        if name is None:
            kept.append(body[start - 4 : end])
        else:
            emptied.add(name)
    if not emptied or not frame.is_whole():
        return body
    scans = (frame.empty_scan(name) for name in sorted(emptied))
    return b"".join((*kept, _TABLES_OF_EMPTY_SCANS, *scans, _END_OF_IMAGE))


def _end_of_scan(body: FileBytes, start: int) -> int:
    """Raises ValueError if the file ends within the scan."""
    found = _END_OF_SCAN.search(body, start)
    if found is None:
        raise ValueError("no marker after a scan")
    return found.start()
