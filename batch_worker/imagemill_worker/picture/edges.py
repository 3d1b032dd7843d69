"""The edge stage for one picture: bytes of a resized picture in, its edge map out."""

from __future__ import annotations

import cv2
import numpy as np

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import EdgeMethod, Recipe
from imagemill_dataset.shards import CHANNELS, PixelSums
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes, Pixels

# The thresholds of OpenCV's own examples: gradients below the first are never edges, those above
# the second always are.
_CANNY_THRESHOLDS = (100, 200)


def edge_map(body: FileBytes, recipe: Recipe) -> Pixels:
    """The edges of a picture that the resize stage wrote.

    Returns uint8 (H, W), or (H, W, 3) with equal channels if the recipe wants three.

    Raises:
        PictureError: `corrupt`: the file is not what the resize stage wrote.
    """
    edges = edges_of(read_picture(body, recipe.edge), recipe.edge)
    return cv2.merge([edges, edges, edges]) if recipe.edge_three_channels else edges


def read_picture(body: FileBytes, method: EdgeMethod) -> Pixels:
    """The pixels that the method needs: uint8 (H, W, 3) BGR for line art, (H, W) for the others.

    If only brightness is needed, no colour is decoded. Raises PictureError as `edge_map` does.
    """
    flag = cv2.IMREAD_COLOR if method is EdgeMethod.LINE_ART else cv2.IMREAD_GRAYSCALE
    return _decoded(body, flag)


def _decoded(body: FileBytes, flag: int) -> Pixels:
    image: Pixels | None = cv2.imdecode(np.frombuffer(body, np.uint8), flag)
    if image is None:
        raise PictureError(Reason.CORRUPT, "The resized picture cannot be decoded.")
    return image


def edges_of(image: Pixels, method: EdgeMethod) -> Pixels:
    """Edges of a picture that `read_picture` returned: a new array, uint8 (H, W).

    Canny gives 0 and 255. Sobel gives the length of the gradient, cut at 255. Line art gives dark
    lines on white: 255 - (brightest of the 3 x 3 neighbours - pixel) in each colour, then its grey.
    """
    if method is EdgeMethod.CANNY:
        edges: Pixels = cv2.Canny(image, *_CANNY_THRESHOLDS)
    elif method is EdgeMethod.SOBEL:
        across = cv2.Sobel(image, cv2.CV_32F, 1, 0)
        down = cv2.Sobel(image, cv2.CV_32F, 0, 1)
        edges = cv2.convertScaleAbs(cv2.magnitude(across, down))
    else:
        brightest = cv2.dilate(image, np.ones((3, 3), np.uint8))
        lines = cv2.bitwise_not(cv2.absdiff(image, brightest))
        edges = cv2.cvtColor(lines, cv2.COLOR_BGR2GRAY)
    return edges


def pixel_sums(body: FileBytes) -> PixelSums:
    """Sums over the pixels of a resized picture, as a reader of the dataset decodes them.

    A grey picture counts as a picture with three equal channels.
    """
    image = _decoded(body, cv2.IMREAD_COLOR_RGB)
    rows = image.reshape(image.shape[0], -1)
    squares = rows.astype(np.uint16)
    squares *= squares  # 255 x 255 still fits
    by_column = (part.sum(0, dtype=np.uint64) for part in (rows, squares))
    sums, squared = (part.reshape(-1, CHANNELS).sum(0).tolist() for part in by_column)
    return PixelSums(image.shape[0] * image.shape[1], tuple(sums), tuple(squared))


def encoded_edges(edges: Pixels) -> bytes:
    """A PNG file of an edge map."""
    done, buffer = cv2.imencode(".png", edges)
    if not done:
        raise RuntimeError("OpenCV did not encode an edge map.")
    return bytes(buffer)
