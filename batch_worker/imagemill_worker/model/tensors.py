"""From files of pictures to a batch of a network's input."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from imagemill_contract.network.shapes import InputShape
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.preprocessing import Channels, Layout, Preprocessing, Range
from imagemill_worker.errors import PictureError
from imagemill_worker.model.network import Batch
from imagemill_worker.pixels import FileBytes

_FLAGS = {
    Channels.RGB: cv2.IMREAD_COLOR_RGB,
    Channels.BGR: cv2.IMREAD_COLOR,
    Channels.GREY: cv2.IMREAD_GRAYSCALE,
}


def decoded(body: FileBytes, shape: InputShape, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """A picture as a network takes it, but for its scale: uint8 (H, W, C).

    Raises PictureError `corrupt` for what the resize stage did not write.
    """
    image = cv2.imdecode(np.frombuffer(body, np.uint8), _FLAGS[preprocessing.channels])
    if image is None:
        raise PictureError(Reason.CORRUPT, "The resized picture cannot be decoded.")
    if image.shape[:2] != (shape.height, shape.width):
        shrinks = image.shape[0] * image.shape[1] > shape.height * shape.width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image = cv2.resize(image, (shape.width, shape.height), interpolation=method)
    return np.atleast_3d(np.asarray(image, np.uint8))


def batch_of(
    pictures: list[NDArray[np.uint8] | None], shape: InputShape, preprocessing: Preprocessing
) -> Batch:
    """The input for some pictures, of `decoded`; zeros for each that is None.

    A network that takes a fixed number has zeros behind the last one.
    """
    count = shape.batch if shape.is_fixed else len(pictures)
    channels = 1 if preprocessing.channels is Channels.GREY else 3
    batch = np.zeros((count, shape.height, shape.width, channels), np.float32)
    for place, picture in enumerate(pictures):
        if picture is not None:
            batch[place] = picture
    if preprocessing.range is Range.UNIT:
        batch /= 255
    if any(preprocessing.mean):
        batch -= np.array(preprocessing.mean, np.float32)
    if set(preprocessing.std) != {1.0}:
        batch /= np.array(preprocessing.std, np.float32)
    if shape.layout is Layout.NCHW:
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
    return batch
