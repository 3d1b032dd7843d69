"""Colour of the small result: profiles to sRGB, alpha onto a background, grey to three channels."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms, ImageColor

from imagemill_contract.recipe import Recipe

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def finished_colour(image: Image.Image, icc_profile: bytes, recipe: Recipe) -> Image.Image:
    """The `image` (L, LA, RGB, RGBA or CMYK) as opaque RGB in sRGB, or as L if grey is kept."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is not None:
        image = image.convert("L" if image.mode == "LA" else "RGB")
    if icc_profile and recipe.to_srgb:
        image = _to_srgb(image, icc_profile)
    if image.mode == "CMYK":
        image = image.convert("RGB")
    background = ImageColor.getrgb(recipe.background)
    if image.mode == "L" and recipe.keep_grey and (alpha is None or len(set(background)) == 1):
        return image if alpha is None else _over(image, alpha, background[0])
    if image.mode == "L":
        image = Image.merge("RGB", (image, image, image))
    return image if alpha is None else _over(image, alpha, background)


def _over(image: Image.Image, alpha: Image.Image, background: int | tuple[int, ...]) -> Image.Image:
    below = Image.new(image.mode, image.size, background)
    return Image.composite(image, below, alpha)


def _to_srgb(image: Image.Image, icc_profile: bytes) -> Image.Image:
    transform = _transform(icc_profile, image.mode)
    if transform is None:
        return image
    result = ImageCms.applyTransform(image, transform)
    assert result is not None  # noqa: S101 # only an in-place transform returns nothing
    return result.getchannel("G") if image.mode == "L" else result


@lru_cache(maxsize=64)  # cameras of one folder share a handful of profiles
def _transform(icc_profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB; None if it would change nothing or the profile cannot be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        if profile.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour of a 6 x 6 x 6 grid moves by more than one level."""
    levels = range(0, 256, 51)
    grid = Image.new("RGB", (216, 1))
    grid.putdata([(r, g, b) for r in levels for g in levels for b in levels])
    moved = ImageCms.applyTransform(grid, transform)
    assert moved is not None  # noqa: S101 # only an in-place transform returns nothing
    pairs = zip(grid.tobytes(), moved.tobytes(), strict=True)
    return all(abs(before - after) <= 1 for before, after in pairs)
