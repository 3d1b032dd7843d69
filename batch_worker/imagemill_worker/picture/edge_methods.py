"""The methods by which edges are found: pixels in, edges of the same height and width out."""

from __future__ import annotations

import cv2
import numpy as np

from imagemill_contract.recipe import EdgeMethod, Recipe
from imagemill_worker.pixels import Pixels

# Where the recipe names no thresholds: a tenth of the picture's gradients are strong, but none that
# is as weak as noise. Chosen on photographs, drawings and by eye; see
# docs/decisions/0022-edges-belong-to-the-picture.md.
_STRONG_SHARE = 0.1
_LEAST_STRONG = 24  # of 2040: |across| + |down| of Sobel's 3 x 3 kernels
_WEAK_SHARE = 0.4  # of the upper threshold

# Ink below this percentile is speckle, ink above that one is black; with less than this between
# them, a picture is taken to be even.
_SPECKLE_PERCENTILE, _BLACK_PERCENTILE = 50, 98
_LEAST_INK = 24


def edges_of(image: Pixels, recipe: Recipe) -> Pixels:
    """Edges of a picture: a new array, uint8 (H, W).

    `image` is uint8 (H, W, 3) BGR for line art, and (H, W) for the other methods.

    Canny gives 0 and 255. Sobel gives the length of the gradient, cut at 255. Line art gives dark
    lines on white.
    """
    if recipe.edge is EdgeMethod.CANNY:
        return canny(image, recipe.blur, recipe.canny_low, recipe.canny_high)
    if recipe.edge is EdgeMethod.SOBEL:
        across = cv2.Sobel(image, cv2.CV_32F, 1, 0)
        down = cv2.Sobel(image, cv2.CV_32F, 0, 1)
        edges: Pixels = cv2.convertScaleAbs(cv2.magnitude(across, down))
        return edges
    lines = line_art(image)
    return with_contrast(lines) if recipe.line_art_contrast else lines


def canny(image: Pixels, blur: float, low: int, high: int) -> Pixels:
    """Thin lines, 255 on 0, where the gradient of a grey picture is a ridge.

    Args:
        image: uint8 (H, W).
        blur: Standard deviation of the blur before, in pixels.
        low: Gradients below are never edges; 0 for two fifths of `high`.
        high: Gradients above always are; 0 for the one that a tenth of the picture exceeds.
    """
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    # as cv2.Canny itself does, so that fixed thresholds give what it gives
    across = cv2.Sobel(image, cv2.CV_16S, 1, 0, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(image, cv2.CV_16S, 0, 1, borderType=cv2.BORDER_REPLICATE)
    high = high or max(_strong_gradient(across, down), _LEAST_STRONG)
    edges: Pixels = cv2.Canny(across, down, low or round(_WEAK_SHARE * high), high)
    return edges


def _strong_gradient(across: np.ndarray, down: np.ndarray) -> int:
    """The gradient that a tenth of the picture's pixels exceed or reach."""
    lengths = (np.abs(across) + np.abs(down)).ravel()
    weaker = np.cumsum(np.bincount(lengths))  # a fifth of the time of np.partition
    return int(np.searchsorted(weaker, int(lengths.size * (1 - _STRONG_SHARE)), side="right"))


def line_art(image: Pixels) -> Pixels:
    """The formula of 2017: 255 - (brightest of 3 x 3 neighbours - pixel) in each colour, its grey.

    `image` is uint8 (H, W, 3) BGR.
    """
    brightest = cv2.dilate(image, np.ones((3, 3), np.uint8))
    lines = cv2.bitwise_not(cv2.absdiff(image, brightest))
    grey: Pixels = cv2.cvtColor(lines, cv2.COLOR_BGR2GRAY)
    return grey


def with_contrast(lines: Pixels) -> Pixels:
    """Lines, uint8 (H, W) dark on white, with speckle made white and the strongest made black."""
    ink = cv2.bitwise_not(lines)
    speckle, black = (
        int(np.percentile(ink, share, method="lower"))
        for share in (_SPECKLE_PERCENTILE, _BLACK_PERCENTILE)
    )
    span = max(black - speckle, _LEAST_INK)
    levels = np.clip((np.arange(256) - speckle) * 255 // span, 0, 255).astype(np.uint8)
    stretched: Pixels = cv2.bitwise_not(cv2.LUT(ink, levels))
    return stretched
