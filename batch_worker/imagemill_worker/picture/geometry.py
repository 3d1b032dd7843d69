"""The arithmetic of the resize modes: where each pixel of the result comes from.

Modes, rounding and `resize_only_if_bigger` work as in img2dataset
(https://github.com/rom1504/img2dataset, `resizer.py`), but crops are not rounded to whole pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from imagemill_contract.recipe import Recipe, ResizeMode
from imagemill_worker.pixels import Area


@dataclass(frozen=True, slots=True)
class Placement:
    """What part of an upright picture is kept, at what size, and where on its canvas.

    Attributes:
        box: Left, top, right, bottom of what is kept, in pixels of the picture; fractional.
        width: Pixels to which the box is resampled.
        height: Pixels to which the box is resampled.
        canvas: Width and height of the result; larger than the resampled box in border mode.
        resamples: False if the picture keeps its own pixels.
    """

    box: tuple[float, float, float, float]
    width: int
    height: int
    canvas: tuple[int, int]
    resamples: bool = True

    @property
    def offset(self) -> tuple[int, int]:
        """Left and top of the resampled box on the canvas."""
        return (self.canvas[0] - self.width) // 2, (self.canvas[1] - self.height) // 2

    @property
    def shrinkage(self) -> float:
        """How many times the picture is larger than the result, along the axis where it is less."""
        left, top, right, bottom = self.box
        return min((right - left) / self.width, (bottom - top) / self.height)

    @property
    def area(self) -> Area | None:
        """Left, top, width and height of the resampled box on the canvas; None if it fills it."""
        return (*self.offset, self.width, self.height) if self.has_border else None

    @property
    def has_border(self) -> bool:
        return self.canvas != (self.width, self.height)


def placement(width: int, height: int, recipe: Recipe) -> Placement:
    """The placement of an upright picture of `width` x `height` pixels. Every side is >= 1."""
    size, mode = recipe.size, recipe.mode
    whole = (0.0, 0.0, float(width), float(height))
    if mode is ResizeMode.NO or (
        recipe.resize_only_if_bigger and not _is_bigger(width, height, recipe)
    ):
        return Placement(whole, width, height, (width, height), resamples=False)
    if mode is ResizeMode.STRETCH:
        return Placement(whole, size, size, (size, size))
    if mode is ResizeMode.CENTER_CROP:
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return Placement((left, top, left + side, top + side), size, size, (size, size))
    reference = min(width, height) if mode is ResizeMode.KEEP_RATIO else max(width, height)
    new_width, new_height = _scaled(width, size, reference), _scaled(height, size, reference)
    canvas = (size, size) if mode is ResizeMode.BORDER else (new_width, new_height)
    return Placement(whole, new_width, new_height, canvas)


def _is_bigger(width: int, height: int, recipe: Recipe) -> bool:
    """Whether the side that the mode brings to `size` is longer than `size`."""
    longest = recipe.mode in (ResizeMode.BORDER, ResizeMode.KEEP_RATIO_LARGEST)
    return (max if longest else min)(width, height) > recipe.size


def _scaled(side: int, size: int, reference: int) -> int:
    """Round `side * size / reference`, halves to the even number; at least 1."""
    whole, rest = divmod(side * size, reference)
    rounds_up = 2 * rest > reference or (2 * rest == reference and whole % 2)
    return max(1, whole + bool(rounds_up))
