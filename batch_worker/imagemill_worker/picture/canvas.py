"""Pixels of a resampled picture, and the canvas that they lie on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor

from imagemill_contract.recipe import Recipe
from imagemill_worker.picture.geometry import Placement
from imagemill_worker.pixels import Pixels


def array_of(image: Image.Image) -> Pixels:
    """What np.asarray returns, in an eighth of its time."""
    bands = () if image.mode == "L" else (3,)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, *bands)


def on_canvas(image: Pixels, target: Placement, recipe: Recipe) -> Pixels:
    """The picture with the border that its mode wants; the same array without one."""
    if not target.has_border:
        return image
    colour = ImageColor.getrgb(recipe.background)
    if image.ndim == 2 and len(set(colour)) > 1:
        image = np.repeat(image[:, :, None], 3, axis=2)
    width, height = target.canvas
    left, top = target.offset
    canvas = np.empty((height, width, *image.shape[2:]), np.uint8)
    canvas[...] = colour if image.ndim == 3 else colour[0]
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas
