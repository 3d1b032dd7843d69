"""A fingerprint of a picture that stays alike when it is scaled or encoded anew."""

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 8


def difference_hash(body: bytes) -> int | None:
    """64 bits, row by row: whether a pixel of the picture, 9 x 8 in grey, is darker than the next.

    None for a file that OpenCV does not decode, and for a picture without any difference.
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    grey = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    small = cv2.resize(grey, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA)
    if small.min() == small.max():
        return None
    return int.from_bytes(np.packbits(small[:, :-1] < small[:, 1:]).tobytes())
