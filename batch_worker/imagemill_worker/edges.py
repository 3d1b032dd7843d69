"""The edge stage for one picture: bytes of a resized picture in, its edge map out."""

from __future__ import annotations

import cv2
import numpy as np

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import EdgeMethod, Recipe
from imagemill_worker.body import Body
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import Pixels

# The thresholds of OpenCV's own examples: gradients below the first are never edges, above the
# second always.
_CANNY_THRESHOLDS = (100, 200)


def edge_map(body: Body, recipe: Recipe) -> Pixels:
    """The edges of a picture that the resize stage wrote.

    Returns uint8 (H, W), or (H, W, 3) with equal channels where the recipe wants three.

    Raises:
        PictureError: `corrupt`: the file is not what the resize stage wrote.
    """
    edges = edges_of(grey_of(body), recipe.edge)
    return cv2.merge([edges, edges, edges]) if recipe.edge_three_channels else edges


def grey_of(body: Body) -> Pixels:
    """The brightness of a picture, uint8 (H, W); of a JPEG file no colour is computed for it.

    Raises PictureError as `edge_map`.
    """
    grey: Pixels | None = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise PictureError(Reason.CORRUPT, "The resized picture cannot be decoded.")
    return grey


def edges_of(grey: Pixels, method: EdgeMethod) -> Pixels:
    """Edges of a grey picture, uint8 (H, W): a new array of the same shape.

    Canny gives 0 and 255. Sobel gives the length of the gradient, cut at 255. Line art gives dark
    lines on white: 255 - (brightest of the 3x3 neighbours - grey).
    """
    if method is EdgeMethod.CANNY:
        edges: Pixels = cv2.Canny(grey, *_CANNY_THRESHOLDS)
    elif method is EdgeMethod.SOBEL:
        across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
        down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
        edges = cv2.convertScaleAbs(cv2.magnitude(across, down))
    else:
        brightest = cv2.dilate(grey, np.ones((3, 3), np.uint8))
        edges = cv2.bitwise_not(cv2.absdiff(brightest, grey))
    return edges


def encoded_edges(edges: Pixels) -> bytes:
    """A PNG file of an edge map."""
    done, buffer = cv2.imencode(".png", edges)
    if not done:
        raise RuntimeError("OpenCV did not encode an edge map.")
    return bytes(buffer)
