"""The last step in colour: opaque, in sRGB, of three channels, or of one where grey is kept."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from imagemill_worker.picture.colour import finished_colour
from tests.helpers.pictures import decibels, photograph, recipe, with_alpha


def profile_of(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


def swapped_profile() -> bytes:
    """SRGB with its red and green exchanged."""
    profile = bytearray(profile_of("sRGB"))
    at = {profile[i : i + 4].decode("latin1"): i for i in range(132, 132 + 12 * profile[131], 12)}
    red, green = slice(at["rXYZ"] + 4, at["rXYZ"] + 12), slice(at["gXYZ"] + 4, at["gXYZ"] + 12)
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile)


def grey() -> Image.Image:
    return photograph().convert("L")


@pytest.mark.parametrize("background", ["#00ff80", "#ffffff"])
def test_alpha_is_blended_with_the_background(background: str) -> None:
    image = with_alpha()
    wanted = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    result = finished_colour(image, b"", recipe(background=background))
    assert result.mode == "RGB"
    assert decibels(np.asarray(result), np.asarray(wanted.convert("RGB"))) > 50


def test_opaque_colour_stays_as_it_is() -> None:
    image = photograph()
    assert finished_colour(image, b"", recipe()) is image


def test_grey_becomes_three_equal_channels() -> None:
    result = np.asarray(finished_colour(grey(), b"", recipe()))
    assert np.array_equal(result, np.dstack([np.asarray(grey())] * 3))


def test_grey_stays_grey_where_the_recipe_keeps_it() -> None:
    image = grey()
    assert finished_colour(image, b"", recipe(keep_grey=True)) is image
    see_through = Image.merge("LA", (image, Image.new("L", image.size, 0)))
    result = finished_colour(see_through, b"", recipe(keep_grey=True, background="#404040"))
    assert (result.mode, result.getextrema()) == ("L", (0x40, 0x40))


def test_grey_over_a_coloured_background_needs_three_channels() -> None:
    see_through = Image.merge("LA", (grey(), Image.new("L", grey().size, 0)))
    result = finished_colour(see_through, b"", recipe(keep_grey=True, background="#102030"))
    assert (result.mode, result.getpixel((0, 0))) == ("RGB", (0x10, 0x20, 0x30))


def test_profile_is_converted_unless_the_recipe_leaves_it() -> None:
    result = np.asarray(finished_colour(photograph(), swapped_profile(), recipe()))
    exchanged = np.asarray(photograph())[:, :, [1, 0, 2]]
    assert decibels(result, exchanged) > 30
    image = photograph()
    assert finished_colour(image, swapped_profile(), recipe(to_srgb=False)) is image


def test_alpha_is_kept_through_the_conversion_of_a_profile() -> None:
    image = with_alpha()
    converted = finished_colour(photograph(), swapped_profile(), recipe()).copy()
    converted.putalpha(image.getchannel("A"))
    result = finished_colour(image, swapped_profile(), recipe(background="#0000ff"))
    wanted = Image.alpha_composite(Image.new("RGBA", image.size, "blue"), converted)
    assert decibels(np.asarray(result), np.asarray(wanted.convert("RGB"))) > 50


@pytest.mark.parametrize("profile", [profile_of("sRGB"), b"no profile", profile_of("LAB"), b""])
def test_profile_that_changes_nothing_or_cannot_be_used_is_passed_over(profile: bytes) -> None:
    image = photograph()
    assert finished_colour(image, profile, recipe()) is image


def test_profile_of_another_space_than_the_picture_is_passed_over() -> None:
    image = grey()
    assert finished_colour(image, swapped_profile(), recipe(keep_grey=True)) is image


def test_cmyk_becomes_rgb() -> None:
    result = finished_colour(photograph().convert("CMYK"), b"", recipe())
    assert decibels(np.asarray(result), np.asarray(photograph())) > 40
