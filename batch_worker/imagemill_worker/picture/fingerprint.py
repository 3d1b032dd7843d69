"""A fingerprint of a picture that stays alike when it is scaled or encoded anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from imagemill_contract.outcomes import PLAIN
from imagemill_worker.pixels import Pixels

_ROWS, _COLUMNS = 8, 9


def fingerprint(grey: Pixels) -> str:
    """16 hexadecimal digits; `PLAIN` for a picture without any difference.

    As text it is what ImageHash (https://github.com/JohannesBuchner/imagehash) reads and writes.
    """
    found = difference_hash(grey)
    return PLAIN if found is None else f"{found:016x}"


def difference_hash(grey: Pixels) -> int | None:
    """64 bits, row by row: whether a box of the picture, 9 x 8 of them, is darker than the next.

    `grey` is uint8 (H, W). None for a picture without any difference: it would be like all others.
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    small = _brightness(grey)
    if small.min() == small.max():
        return None
    return int.from_bytes(np.packbits(small[:, :-1] < small[:, 1:]).tobytes())


def difference_hash_of_file(body: bytes) -> int | None:
    """As `difference_hash`; also None for a file that OpenCV does not decode."""
    grey = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if grey is None else difference_hash(grey)


def _brightness(grey: Pixels) -> Pixels:
    """Mean of each box, a whole number: the same on every machine, as sums of whole pixels are.

    By OpenCV's INTER_AREA it would take five times as long.
    """
    boxes = _boxes(*grey.shape)
    sums = np.empty((_ROWS, grey.shape[1]), np.int32)
    for row, strip in enumerate(boxes.strips):
        cv2.reduce(grey[strip], 0, cv2.REDUCE_SUM, sums[row : row + 1], cv2.CV_32S)
    by_box = np.add.reduceat(sums, boxes.lefts, axis=1, dtype=np.int64)
    means: Pixels = ((2 * by_box + boxes.areas) // (2 * boxes.areas)).astype(np.uint8)
    return means


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Boxes of a picture; a narrow one has some pixels twice.

    Attributes:
        strips: Rows of pixels of each row of boxes.
        lefts: Where each column of boxes begins.
        areas: Pixels of each box.
    """

    strips: Sequence[slice]
    lefts: np.ndarray[Any, np.dtype[np.intp]]
    areas: np.ndarray[Any, np.dtype[np.int64]]


@lru_cache(64)
def _boxes(height: int, width: int) -> _Boxes:
    strips, columns = _borders(height, _ROWS), _borders(width, _COLUMNS)
    heights, widths = ([item.stop - item.start for item in items] for items in (strips, columns))
    lefts = np.array([column.start for column in columns])
    return _Boxes(strips, lefts, np.outer(heights, widths))


def _borders(side: int, count: int) -> list[slice]:
    starts = [place * side // count for place in range(count)]
    ends = [*starts[1:], side]
    return [slice(start, max(start + 1, end)) for start, end in zip(starts, ends, strict=True)]
