"""The resize stage for one picture: bytes of a file in, pixels of the result out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.recipe import Anchor, Interpolation, Recipe, ResizeMode
from imagemill_worker.codecs.decode import load_pixels, open_file
from imagemill_worker.codecs.decode_jpeg import decode_jpeg, decoded_bytes
from imagemill_worker.codecs.file_kind import Kind, kind_of
from imagemill_worker.codecs.jpeg_header import read_jpeg_header
from imagemill_worker.codecs.jxl_header import jxl_size
from imagemill_worker.picture.colour import finished_colour
from imagemill_worker.picture.geometry import Placement
from imagemill_worker.picture.orientation import swaps_sides, upright
from imagemill_worker.picture.resample import (
    Stored,
    array_of,
    has_points_on_black,
    on_canvas,
    resampled,
    sharpened,
)
from imagemill_worker.picture.size_limits import check_memory, checked_placement
from imagemill_worker.pixels import Area, FileBytes, Pixels

# Pixels that a decoder must give for each pixel of the result, along each axis. With fewer, some
# photographs lose detail: at 1.5 one of eight has an SSIM of .96; from 1.59 on all have over .97.
_LEAST_SCALE = 1.55
_LEAST_REDUCED_SCALE = 2.0  # averaging whole pixels costs more than libjpeg's scaled transform
# The same for what the largest of several sizes has left to the others: at 2.0 they would lose some
# detail against a run of their own, without any gap they would cost twice as much.
_GAP_OF_SEVERAL = 3.0
_PILLOW_BYTES_PER_PIXEL = 7  # 4 in the image, 3 in what may be the one strip of a compressed TIFF


@dataclass(frozen=True, slots=True)
class Resized:
    """A picture as the recipe wants it.

    Attributes:
        pixels: uint8 (H, W, 3) RGB, or (H, W) if the picture is grey and the recipe keeps grey.
        original: What the picture was before.
        area: Left, top, width and height of the picture within its padding; None without padding.
        has_points: Whether it is dark and full of fine points, which a file can easily lose.
    """

    pixels: Pixels
    original: Original
    area: Area | None = None
    has_points: bool = False


def resized(body: FileBytes, recipe: Recipe, *, alone: bool = True) -> Pixels:
    """The pixels of `padded`."""
    return padded(body, recipe, alone=alone).pixels


def padded(body: FileBytes, recipe: Recipe, *, alone: bool = True) -> Resized:
    """The picture in a file as the recipe wants it: upright, opaque, sRGB, in the mode's shape.

    Raises:
        PictureError: The picture cannot be decoded, or exceeds the recipe's limits.
        AloneError: It needs much memory, and is not `alone`.
        MemoryError: It needs more memory than there is.
    """
    return next(padded_in_sizes(body, (recipe,), alone=alone))


def padded_in_sizes(
    body: FileBytes, recipes: Sequence[Recipe], *, alone: bool = True
) -> Iterator[Resized]:
    """As `padded`, by recipes that differ in nothing but their size; it is decoded once.

    Every size is made of the pixels that the largest needs, so no size has less detail than alone.
    """
    kind = kind_of(body)
    decoded = _decoded_jpeg if kind is Kind.JPEG else _decoded_other
    stored = decoded(body, kind, recipes, alone)
    gap = _GAP_OF_SEVERAL if len(recipes) > 1 else None
    for recipe, target in zip(recipes, stored.targets, strict=True):
        is_cut = recipe.anchor is Anchor.TOP_LEFT and recipe.mode is ResizeMode.CENTER_CROP
        if target.resamples and is_cut:
            from imagemill_worker.picture.top_left import top_left_square  # needs OpenCV

            yield Resized(top_left_square(body, kind, recipe.size), stored.original)
            continue
        pixels = _pixels(stored, target, recipe, gap)
        has_points = _may_lose_points(target, recipe) and has_points_on_black(pixels)
        if has_points:
            pixels = _pixels(stored, target, recipe, gap, has_points=True)
        whole = on_canvas(pixels, target, recipe)
        yield Resized(whole, stored.original, target.area, has_points)


def _may_lose_points(target: Placement, recipe: Recipe) -> bool:
    is_reduced = target.resamples and target.shrinkage > 1
    return is_reduced and recipe.interpolation is Interpolation.AUTO


def _pixels(
    stored: Stored,
    target: Placement,
    recipe: Recipe,
    gap: float | None,
    *,
    has_points: bool = False,
) -> Pixels:
    """The picture in its target's size, upright and in sRGB, without its border."""
    image = stored.image
    if target.resamples:
        image = resampled(stored, target, recipe.interpolation, gap, has_points=has_points)
    image = finished_colour(image, stored.icc_profile, recipe)
    if has_points:
        image = sharpened(image)
    return upright(array_of(image), stored.orientation)


def _decoded_jpeg(body: FileBytes, _kind: Kind, recipes: Sequence[Recipe], alone: bool) -> Stored:
    header = read_jpeg_header(body)
    stored_size = header.width, header.height
    targets = [checked_placement(*stored_size, header.orientation, it) for it in recipes]
    shrinkage = _shrinkage(targets, recipes)
    least = _LEAST_SCALE / shrinkage if shrinkage else 1.0
    check_memory(decoded_bytes(header, least), alone=alone)
    decoded = decode_jpeg(body, header, least)
    original = _original(*stored_size, header.orientation, header.taken)
    return Stored(
        decoded.image, decoded.scale, header.orientation, header.icc_profile, targets, original
    )


def _decoded_other(body: FileBytes, kind: Kind, recipes: Sequence[Recipe], alone: bool) -> Stored:
    body = bytes(body)
    if kind is Kind.JXL:
        for recipe in recipes:
            checked_placement(*jxl_size(body), 1, recipe)
    opened = open_file(body, kind)
    width, height = opened.image.size
    targets = [checked_placement(width, height, opened.orientation, it) for it in recipes]
    check_memory(width * height * _PILLOW_BYTES_PER_PIXEL, alone=alone)
    reduction = max(1, int(_shrinkage(targets, recipes) / _LEAST_REDUCED_SCALE))
    image = load_pixels(opened, reduction)
    original = _original(width, height, opened.orientation, opened.taken)
    return Stored(image, 1 / reduction, opened.orientation, opened.icc_profile, targets, original)


def _shrinkage(targets: Sequence[Placement], recipes: Sequence[Recipe]) -> float:
    """How many times the picture is larger than the largest result; 0 if all pixels are needed."""
    if recipes[0].interpolation is not Interpolation.AUTO:
        return 0.0
    return min(target.shrinkage if target.resamples else 0.0 for target in targets)


def _original(width: int, height: int, orientation: int, taken: str) -> Original:
    """Of a picture that is stored with that size."""
    sides = (height, width) if swaps_sides(orientation) else (width, height)
    return Original(*sides, taken)
