"""The recipe field `anchor: top_left`, which reproduces the data set of 2017 bit for bit.

OpenCV decodes the whole picture. INTER_AREA shrinks it (or INTER_CUBIC enlarges it) until its
shorter side is the recipe's size; the longer side is rounded up. Everything right of and below the
first size x size pixels is cut off. Colour profiles and alpha are ignored, as they were in 2017.
"""

from __future__ import annotations

import cv2
import numpy as np

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes, Pixels


def top_left_square(body: FileBytes, kind: Kind, size: int) -> Pixels:
    """The top left square, uint8 (size, size, 3) RGB, turned upright by OpenCV.

    Raises:
        PictureError: `unsupported_format` if OpenCV cannot read the file.
    """
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        detail = f"OpenCV cannot decode this {kind} file, and the anchor top_left needs OpenCV."
        raise PictureError(Reason.UNSUPPORTED_FORMAT, detail)
    height, width = image.shape[:2]
    shorter = min(height, width)
    sides = -(-width * size // shorter), -(-height * size // shorter)
    method = cv2.INTER_AREA if shorter > size else cv2.INTER_CUBIC
    image = cv2.resize(image, sides, interpolation=method)[:size, :size]
    return np.ascontiguousarray(image[:, :, ::-1])
