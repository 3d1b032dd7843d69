"""The resize stage for one picture: bytes of a file in, pixels of the result out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Anchor, ImageFormat, Recipe, ResizeMode
from imagemill_worker.colour import finished_colour
from imagemill_worker.decode import load_pixels, open_file
from imagemill_worker.decode_jpeg import decode_jpeg
from imagemill_worker.errors import PictureError
from imagemill_worker.geometry import Placement, placement
from imagemill_worker.jpeg_header import read_jpeg_header
from imagemill_worker.orientation import swaps_sides, upright
from imagemill_worker.pixels import Pixels
from imagemill_worker.sniff import Kind, kind_of

# A scaled JPEG decode must have this many pixels for one of the result: below it the detail that
# the reference has is lost (SSIM .92 at 1.0, .985 at 1.5, measured on photographs).
_PIXELS_PER_RESULT_PIXEL = 1.5

_LONGEST_SIDE = {ImageFormat.JPG: 65_500, ImageFormat.WEBP: 16_383, ImageFormat.PNG: 2**31 - 1}


@dataclass(frozen=True, slots=True)
class _Stored:
    """A decoded picture, not yet upright, and what remains to be done to it."""

    image: Image.Image
    scale: float
    orientation: int
    icc_profile: bytes
    target: Placement


def resized(body: bytes, recipe: Recipe) -> Pixels:
    """The picture of a file as the recipe wants it: upright, opaque, sRGB, of the mode's shape.

    Returns uint8 (H, W, 3) RGB, or (H, W) where the picture is grey and the recipe keeps grey.

    Raises:
        PictureError: The picture cannot be decoded, or not within the recipe's limits.
        MemoryError: Whether the picture or the machine is to blame, only another try tells.
    """
    kind = kind_of(body)
    stored = _stored_jpeg(body, recipe) if kind is Kind.JPEG else _stored_other(body, kind, recipe)
    image = stored.image
    if stored.target.resamples:
        image = _resampled(stored)
    image = finished_colour(image, stored.icc_profile, recipe)
    return _on_canvas(upright(np.asarray(image), stored.orientation), stored.target, recipe)


def _stored_jpeg(body: bytes, recipe: Recipe) -> _Stored:
    header = read_jpeg_header(body)
    target = _checked_placement(header.width, header.height, header.orientation, recipe)
    left, top, right, bottom = target.box
    least = 1.0
    if target.resamples:
        least = max(target.width / (right - left), target.height / (bottom - top))
    decoded = decode_jpeg(body, header, least * _PIXELS_PER_RESULT_PIXEL)
    return _Stored(decoded.image, decoded.scale, header.orientation, header.icc_profile, target)


def _stored_other(body: bytes, kind: Kind, recipe: Recipe) -> _Stored:
    opened = open_file(body, kind)
    width, height = opened.image.size
    target = _checked_placement(width, height, opened.orientation, recipe)
    image = load_pixels(opened, kind)
    return _Stored(image, 1.0, opened.orientation, opened.icc_profile, target)


def _checked_placement(width: int, height: int, orientation: int, recipe: Recipe) -> Placement:
    """Placement of the upright picture, for a file whose stored sides are given."""
    if not width or not height:
        raise PictureError(Reason.CORRUPT, f"The file declares {width} x {height} pixels.")
    if width * height > recipe.max_pixels:
        detail = f"The file declares {width} x {height} pixels; {recipe.max_pixels} are allowed."
        raise PictureError(Reason.TOO_MANY_PIXELS, detail)
    sides = (height, width) if swaps_sides(orientation) else (width, height)
    target = placement(*sides, recipe)
    longest = max(target.canvas)
    if longest > _LONGEST_SIDE[recipe.format] or _area(target) > max(recipe.max_pixels, 1 << 20):
        reason = Reason.TOO_SMALL if target.resamples else Reason.TOO_MANY_PIXELS
        detail = (
            f"The picture of {width} x {height} pixels would become "
            f"{target.canvas[0]} x {target.canvas[1]}, more than {recipe.format} files can hold."
        )
        raise PictureError(reason, detail)
    return target


def _area(target: Placement) -> int:
    return target.canvas[0] * target.canvas[1]


def _resampled(stored: _Stored) -> Image.Image:
    """The box of the picture at its target size, still as stored.

    Boxes lie in the middle, so that turning the picture moves no box, only swaps its sides.
    """
    target, image = stored.target, stored.image
    size, box = (target.width, target.height), target.box
    if swaps_sides(stored.orientation):
        size, box = size[::-1], (box[1], box[0], box[3], box[2])
    scaled = tuple(side * stored.scale for side in box)
    whole = (0.0, 0.0, float(image.width), float(image.height))
    if scaled == whole and size == image.size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, box=scaled)


def _on_canvas(image: Pixels, target: Placement, recipe: Recipe) -> Pixels:
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
