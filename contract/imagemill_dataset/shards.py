"""A dataset shard: one file of samples, with the sums from which the dataset's card is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from imagemill_contract.errors import DocumentError

_LARGEST = 255


@dataclass(frozen=True, slots=True)
class PixelSums:
    """Exact sums over pixels, for red, green and blue. Sums of parts add up to those of the whole.

    Attributes:
        pixels: How many pixels.
        sums: Sum of the values, 0 to 255, of each channel.
        squares: Sum of their squares.
    """

    pixels: int = 0
    sums: tuple[int, int, int] = (0, 0, 0)
    squares: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def total(cls, parts: Iterable[PixelSums]) -> PixelSums:
        parts = list(parts)
        return cls(
            sum(part.pixels for part in parts),
            _added(part.sums for part in parts),
            _added(part.squares for part in parts),
        )

    @property
    def mean(self) -> list[float]:
        """Mean of each channel, scaled to 0..1; empty without a pixel."""
        return [value / self.pixels / _LARGEST for value in self.sums] if self.pixels else []

    @property
    def standard_deviation(self) -> list[float]:
        """Standard deviation of each channel, scaled to 0..1; empty without a pixel."""
        if not self.pixels:
            return []
        pairs = zip(self.sums, self.squares, strict=True)
        # whole numbers up to the root: nothing is lost in the difference
        return [
            sqrt(self.pixels * square - value * value) / self.pixels / _LARGEST
            for value, square in pairs
        ]


@dataclass(frozen=True, slots=True)
class DatasetShard:
    """One file of the dataset.

    Attributes:
        key: Below the output, such as `dataset/images-train-0a1b2c3d-00000-0000.tar`.
        split: Its split.
        samples: How many it holds.
        bytes: Length of the file.
        sha256: Hexadecimal digest of the file.
        pixels: Sums over its pictures.
    """

    key: str
    split: str
    samples: int
    bytes: int
    sha256: str
    pixels: PixelSums

    def to_row(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> DatasetShard:
        """Raises DocumentError for a row of another shape."""
        try:
            values = dict(row)
            sums = dict(values.pop("pixels"))
            pixels = PixelSums(sums["pixels"], tuple(sums["sums"]), tuple(sums["squares"]))
            return cls(pixels=pixels, **values)
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"Dataset shard {row!r} cannot be read: {error}.") from error


def _added(rows: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    red, green, blue = 0, 0, 0
    for row in rows:
        red, green, blue = red + row[0], green + row[1], blue + row[2]
    return red, green, blue
