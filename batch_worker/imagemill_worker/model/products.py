"""From a network's output for one picture to the bytes of a file: the same for the same output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imagemill_contract.network.scores import scores_document
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.preprocessing import Range
from imagemill_worker.dataset.formats.vector_file import npy_file
from imagemill_worker.errors import PictureError


def vector_file(values: NDArray[Any]) -> bytes:
    """A .npy file of float16, flat. Raises PictureError for what is not finite, also in float16."""
    with np.errstate(over="ignore"):
        vector = values.ravel().astype(np.float16)
    _check_finite(vector)
    return npy_file(vector)


def scores_of(values: NDArray[Any], labels: Sequence[str]) -> dict[str, object]:
    """What is said of a picture; numbers have six digits.

    Raises PictureError for what is not finite, ModelError for another number of labels.
    """
    _check_finite(values)
    return scores_document([float(f"{value:.6g}") for value in values.ravel()], labels)


def scores_file(document: Mapping[str, object]) -> bytes:
    """A JSON document of `scores_of`, with scores in the order of the model's labels."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def picture_file(values: NDArray[Any], value_range: Range) -> bytes:
    """A PNG file, grey or RGB, of (H, W), (C, H, W) or (H, W, C). Raises PictureError as above."""
    _check_finite(values)
    scaled = values * 255 if value_range is Range.UNIT else values
    image = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    if image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[2] not in (1, 3):
        image = image.transpose(1, 2, 0)
    if image.ndim == 3:
        image = image[:, :, 0] if image.shape[2] == 1 else image[:, :, ::-1]  # OpenCV wants BGR
    done, buffer = cv2.imencode(".png", np.ascontiguousarray(image))
    if not done:
        raise RuntimeError("OpenCV did not encode a picture.")
    return bytes(buffer)


def _check_finite(values: NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        detail = "The model gave a value that is no number, or one beyond what its file can hold."
        raise PictureError(Reason.NOT_FINITE, detail)
