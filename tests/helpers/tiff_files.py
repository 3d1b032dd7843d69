"""TIFF files of any layout, written field by field: what no library writes, but somebody does."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Values = tuple[int, Sequence[int]]  # type, values; of a rational its numerator and denominator

_CODES = {1: "B", 3: "H", 4: "I", 5: "I", 7: "B", 16: "Q"}
_SHORT, _LONG, _RATIONAL, _LONG8 = 3, 4, 5, 16
GREY, RGB, YCBCR = 1, 2, 6


@dataclass
class Tiff:
    """A file of one picture, in strips.

    Attributes:
        fields: Values by tag, but for those that say where the strips are.
        strips: Their bytes, in the byte order that is meant.
        is_data_last: The last strip ends with the file; else the directory does.
    """

    fields: dict[int, Values]
    strips: list[bytes]
    order: str = "<"
    is_big: bool = False
    is_data_last: bool = True
    _inline_bytes: int = field(init=False)

    def encode(self) -> bytes:
        self._inline_bytes = 8 if self.is_big else 4
        head_bytes = 16 if self.is_big else 8
        data = b"".join(self.strips)
        data += bytes(len(data) % 2 and not self.is_data_last)
        length = len(self._directory(0, 0))
        directory_at = head_bytes if self.is_data_last else head_bytes + len(data)
        data_at = head_bytes + length if self.is_data_last else head_bytes
        directory = self._directory(directory_at, data_at)
        parts = (directory, data) if self.is_data_last else (data, directory)
        return self._head(directory_at) + b"".join(parts)

    def _head(self, directory_at: int) -> bytes:
        mark = b"II" if self.order == "<" else b"MM"
        if self.is_big:
            return mark + struct.pack(self.order + "HHHQ", 43, 8, 0, directory_at)
        return mark + struct.pack(self.order + "HI", 42, directory_at)

    def _directory(self, directory_at: int, data_at: int) -> bytes:
        """Entries, and behind them the values that have no room there."""
        offsets = [data_at]
        for strip in self.strips:
            offsets.append(offsets[-1] + len(strip))
        kind = _LONG8 if self.is_big else _LONG
        fields = {273: (kind, offsets[:-1]), 279: (kind, [len(strip) for strip in self.strips])}
        fields |= self.fields  # type: ignore[arg-type] # sequences of the same
        count_code, entry_code = ("Q", "HHQ") if self.is_big else ("H", "HHI")
        entry_bytes = struct.calcsize("<" + entry_code) + self._inline_bytes
        count = struct.pack(self.order + count_code, len(fields))
        outside_at = directory_at + len(count) + entry_bytes * len(fields) + self._inline_bytes
        entries, outside = b"", b""
        for tag in sorted(fields):
            kind, values = fields[tag]
            value = struct.pack(f"{self.order}{len(values)}{_CODES[kind]}", *values)
            number = len(values) // (2 if kind == _RATIONAL else 1)
            if len(value) > self._inline_bytes:
                place = outside_at + len(outside)
                outside += value + bytes(len(value) % 2)
                value = struct.pack(self.order + ("Q" if self.is_big else "I"), place)
            entries += struct.pack(self.order + entry_code, tag, kind, number)
            entries += value.ljust(self._inline_bytes, b"\0")
        return count + entries + bytes(self._inline_bytes) + outside


def layout(
    size: tuple[int, int], bits: Sequence[int], photometric: int, rows_per_strip: int, **more: int
) -> dict[int, Values]:
    """Fields of an uncompressed picture of so many samples for each pixel."""
    fields: dict[int, Values] = {
        256: (_LONG, [size[0]]),
        257: (_LONG, [size[1]]),
        258: (_SHORT, list(bits)),
        259: (_SHORT, [1]),
        262: (_SHORT, [photometric]),
        277: (_SHORT, [len(bits)]),
        278: (_LONG, [rows_per_strip]),
    }
    if "sample_format" in more:
        fields[339] = (_SHORT, [more["sample_format"]] * len(bits))
    if "orientation" in more:
        fields[274] = (_SHORT, [more["orientation"]])
    return fields


def in_strips(samples: NDArray[np.generic], rows: int) -> list[bytes]:
    return [samples[top : top + rows].tobytes() for top in range(0, len(samples), rows)]


def of_samples(samples: NDArray[np.generic], rows: int = 16, **more: int) -> Tiff:
    """An uncompressed file of grey (H, W) or RGB (H, W, 3) samples, in their own byte order."""
    height, width = samples.shape[:2]
    bands = 1 if samples.ndim == 2 else 3
    bits = [samples.dtype.itemsize * 8] * bands
    photometric = more.pop("photometric", GREY if bands == 1 else RGB)
    fields = layout((width, height), bits, photometric, rows, **more)
    order = ">" if samples.dtype.byteorder == ">" else "<"
    return Tiff(fields, in_strips(samples, rows), order)


def of_ycbcr(image: Image.Image, across: int, down: int, rows: int = 16, **more: int) -> Tiff:
    """Uncompressed YCbCr with one Cb and Cr for `across` x `down` pixels (TIFF 6.0, section 21)."""
    samples = np.asarray(image.convert("YCbCr")).astype(np.float64)
    height, width = samples.shape[:2]
    assert width % across == height % down == rows % down == 0
    blocks = samples.reshape(height // down, down, width // across, across, 3).swapaxes(1, 2)
    luma = blocks[..., 0].reshape(height // down, width // across, across * down)
    units = np.concatenate([luma, blocks[..., 1:].mean(axis=(2, 3))], axis=2)
    strips = in_strips(units.round().astype(np.uint8), rows // down)
    fields = layout(image.size, (8, 8, 8), YCBCR, rows, **more)
    fields[530] = (_SHORT, [across, down])
    fields[532] = (_RATIONAL, [0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1])
    return Tiff(fields, strips)
