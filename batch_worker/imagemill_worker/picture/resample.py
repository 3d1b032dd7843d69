"""A decoded picture brought to its size, by the filter that keeps its detail, and its canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageFilter

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.recipe import Interpolation, Recipe
from imagemill_worker.picture.geometry import Placement
from imagemill_worker.picture.orientation import swaps_sides
from imagemill_worker.pixels import Pixels

# From here on Hamming's filter, which is half as wide as the bicubic one and as much quicker, keeps
# the detail, too (docs/decisions/0017-filter-and-scale-follow-the-reduction.md).
_LEAST_SCALE_FOR_NARROW_FILTER = 2.0
# A mean of both, sharpened a little, keeps fine points as neither of them does.
_FILTERS_FOR_POINTS = Image.Resampling.HAMMING, Image.Resampling.BICUBIC
_SHARE_OF_BICUBIC = 0.3
_SIDE, _MIDDLE = -0.05, 1.1  # of the same sharpening along rows and columns
_SHARPENING = ImageFilter.Kernel(
    (3, 3), [one * other for one in (_SIDE, _MIDDLE, _SIDE) for other in (_SIDE, _MIDDLE, _SIDE)], 1
)
# All but the nearest pixel average over what is left out: no filter of Pillow's aliases.
_FILTERS = {
    Interpolation.NEAREST: Image.Resampling.NEAREST,
    Interpolation.LINEAR: Image.Resampling.BILINEAR,
    Interpolation.CUBIC: Image.Resampling.BICUBIC,
    Interpolation.AREA: Image.Resampling.BOX,
    Interpolation.LANCZOS: Image.Resampling.LANCZOS,
}
# Of 80 photographs, all but one kind have at most .28 of this; the deep field of stars has over .5.
_LEAST_POINTS = 0.4
_DARK = 48  # mean brightness, of 255; a picture that is brighter hides what it loses
_EVERY = 4  # pixels are looked at first
_ROWS = 256


@dataclass(frozen=True, slots=True)
class Stored:
    """A decoded picture, not yet upright, and what remains to be done to it.

    Attributes:
        scale: Side of `image` divided by the side of the picture in the file.
        targets: Where it goes in each of the sizes that are wanted.
        original: Of the picture in the file.
    """

    image: Image.Image
    scale: float
    orientation: int
    icc_profile: bytes
    targets: Sequence[Placement]
    original: Original


def resampled(
    stored: Stored,
    target: Placement,
    interpolation: Interpolation,
    gap: float | None,
    *,
    has_points: bool,
) -> Image.Image:
    """The box of the picture, resampled to its target size, not yet upright.

    What is more than `gap` times as large is averaged over whole pixels before.

    Boxes are centred, so turning the picture only swaps the sides of a box.
    """
    image = stored.image
    size, box = (target.width, target.height), target.box
    if swaps_sides(stored.orientation):
        size, box = size[::-1], (box[1], box[0], box[3], box[2])
    scale = stored.scale
    scaled = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
    if scaled == (0.0, 0.0, *image.size) and size == image.size:
        return image
    shrinkage = min((scaled[2] - scaled[0]) / size[0], (scaled[3] - scaled[1]) / size[1])
    resample = _FILTERS.get(interpolation)
    if resample is not None:
        return image.resize(size, resample, box=scaled)
    if has_points:
        narrow, wide = (image.resize(size, one, scaled, gap) for one in _FILTERS_FOR_POINTS)
        return Image.blend(narrow, wide, _SHARE_OF_BICUBIC)
    is_narrow = shrinkage >= _LEAST_SCALE_FOR_NARROW_FILTER
    resample = Image.Resampling.HAMMING if is_narrow else Image.Resampling.BICUBIC
    return image.resize(size, resample, box=scaled, reducing_gap=gap)


def sharpened(image: Image.Image) -> Image.Image:
    """The picture with what its filters have taken from fine points."""
    return image.filter(_SHARPENING)


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


def has_points_on_black(image: Pixels) -> bool:
    """Whether a picture is dark and full of fine points, as one of stars is: then all detail shows.

    By green alone, and in whole numbers: the same on every machine.
    """
    green = image if image.ndim == 2 else image[:, :, 1]
    first = green[::_EVERY, ::_EVERY]
    if int(first.sum(dtype=np.uint32)) >= _DARK * first.size:
        return False
    points, total = 0, 0
    for start in range(0, len(green), _ROWS):  # some at a time: wide numbers take much memory
        wide = green[start : start + _ROWS].astype(np.int32)
        points += int(np.abs(2 * wide[:, 1:-1] - wide[:, :-2] - wide[:, 2:]).sum())
        total += int(wide.sum())
    return points > _LEAST_POINTS * total
