"""Lossless JPEG files (ITU-T T.81, annex H), which Pillow and OpenCV read and do not write."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

JFIF = struct.pack(">HH5sHBHHBB", 0xFFE0, 16, b"JFIF\0", 0x0101, 0, 1, 1, 0, 0)
_LEFT = 1  # the predictor: each pixel from the one before it
_CATEGORIES = 17  # of differences: their lengths in bits
_CODE_BITS = 5  # for each category the same, its number


def lossless_jpeg(
    samples: NDArray[np.unsignedinteger], *, frame: int = 0xC3, application_data: bytes = b""
) -> bytes:
    """A file of grey (H, W) or three-colour (H, W, 3) samples; uint16 ones have 16 bits."""
    planes = np.atleast_3d(samples).astype(np.int64)
    height, width, bands = planes.shape
    bits = samples.dtype.itemsize * 8
    components = b"".join(struct.pack("BBB", band + 1, 0x11, 0) for band in range(bands))
    selectors = b"".join(struct.pack("BB", band + 1, 0) for band in range(bands))
    counts = bytes([0] * (_CODE_BITS - 1) + [_CATEGORIES] + [0] * (16 - _CODE_BITS))
    return b"".join([
        b"\xff\xd8", application_data,
        _segment(frame, struct.pack(">BHHB", bits, height, width, bands) + components),
        _segment(0xC4, b"\0" + counts + bytes(range(_CATEGORIES))),
        _segment(0xDA, struct.pack("B", bands) + selectors + struct.pack("BBB", _LEFT, 0, 0)),
        _packed(_differences(planes, bits)),
        b"\xff\xd9",
    ])  # fmt: skip


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _differences(planes: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Pixel by pixel, component by component, modulo 65536 (H.1.2.1)."""
    predicted = np.empty_like(planes)
    predicted[:, 1:] = planes[:, :-1]
    predicted[1:, 0] = planes[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    found: NDArray[np.int64] = ((planes - predicted + 32_768) % 65_536 - 32_768).ravel()
    return found


def _packed(differences: NDArray[np.int64]) -> bytes:
    """Each as its category and so many of its own bits (F.1.2.1), ones at the end, stuffed."""
    text = []
    for number in map(int, differences):
        category = abs(number).bit_length()
        text.append(f"{category:0{_CODE_BITS}b}")
        if 0 < category < 16:
            text.append(f"{number + (number < 0) * ((1 << category) - 1):0{category}b}")
    bits = "".join(text)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
