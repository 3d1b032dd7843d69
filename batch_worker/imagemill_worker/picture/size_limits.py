"""The limits of the recipe and the output format, checked before anything is decoded."""

from __future__ import annotations

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ImageFormat, Recipe
from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.picture.geometry import Placement, placement
from imagemill_worker.picture.orientation import swaps_sides

# libjpeg's JPEG_MAX_DIMENSION, WEBP_MAX_DIMENSION, and PNG's 31 bits; libavif decodes at most
# 16384 x 16384 pixels
_LONGEST_SIDE = {
    **{ImageFormat.JPG: 65_500, ImageFormat.WEBP: 16_383},
    **{ImageFormat.PNG: 2**31 - 1, ImageFormat.AVIF: 16_384},
}

# Memory that a decoder may take for one picture while other pictures are in flight.
_SHARED_MEMORY_BYTES = 512 << 20


def checked_placement(width: int, height: int, orientation: int, recipe: Recipe) -> Placement:
    """Placement of the upright picture; `width` and `height` are those stored in the file.

    Raises:
        PictureError: `too_many_pixels` before or after resizing; `too_small` if the picture is so
            narrow that the mode would make it longer than the format allows; or `corrupt`.
    """
    if not width or not height:
        raise PictureError(Reason.CORRUPT, f"The file declares {width} x {height} pixels.")
    if width * height > recipe.max_pixels:
        detail = f"The file declares {width} x {height} pixels; {recipe.max_pixels} are allowed."
        raise PictureError(Reason.TOO_MANY_PIXELS, detail)
    if swaps_sides(orientation):
        width, height = height, width
    target = placement(width, height, recipe)
    new_width, new_height = target.canvas
    grows = max(new_width, new_height) > max(width, height)
    has_room = not grows or new_width * new_height <= max(recipe.max_pixels, recipe.size**2)
    if max(target.canvas) > _LONGEST_SIDE[recipe.format] or not has_room:
        detail = (
            f"The picture of {width} x {height} pixels would become {new_width} x {new_height}, "
            f"more than a {recipe.format} file of this recipe can hold."
        )
        raise PictureError(Reason.TOO_SMALL if grows else Reason.TOO_MANY_PIXELS, detail)
    return target


def check_memory(needed_bytes: int, *, alone: bool) -> None:
    """Raises AloneError for a picture that needs too much memory to be decoded beside others."""
    if needed_bytes > _SHARED_MEMORY_BYTES and not alone:
        raise AloneError
