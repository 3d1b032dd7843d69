"""Turns a picture the right way up, as its EXIF orientation says (CIPA DC-008, table 6)."""

from __future__ import annotations

import numpy as np

from imagemill_worker.pixels import Pixels


def swaps_sides(orientation: int) -> bool:
    """Whether width and height change places when the orientation is applied."""
    return orientation >= 5


def upright(image: Pixels, orientation: int) -> Pixels:
    """The `image`, uint8 (H, W) or (H, W, C), turned and mirrored so that it is upright.

    `orientation` is 1 to 8: 1 returns the same array, all others return a contiguous copy.
    """
    if orientation == 1:
        return image
    if swaps_sides(orientation):
        image = image.swapaxes(0, 1)
    flips_rows = orientation in (3, 4, 7, 8)
    flips_columns = orientation in (2, 3, 6, 7)
    image = image[:: -1 if flips_rows else 1, :: -1 if flips_columns else 1]
    return np.ascontiguousarray(image)
