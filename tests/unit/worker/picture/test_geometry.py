"""For any size, mode and source shape, the result has exactly the shape that the mode promises."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagemill_contract.recipe import ImageFormat, Recipe, ResizeMode
from imagemill_worker.codecs.encode import encoded
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.geometry import placement
from imagemill_worker.picture.resize import resized
from tests.helpers.pictures import file_of, recipe

sides = st.integers(1, 5000)
small_sides = st.integers(1, 300)
sizes = st.integers(1, 200)
modes = st.sampled_from(ResizeMode)


def promised(width: int, height: int, wanted: Recipe) -> tuple[int, int]:
    """Width and height by the words of img2dataset's documentation, in floating point."""
    size, mode = wanted.size, wanted.mode
    judged = max if mode in (ResizeMode.BORDER, ResizeMode.KEEP_RATIO_LARGEST) else min
    if mode is ResizeMode.NO or (
        wanted.resize_only_if_bigger and judged(width, height) <= size
    ):  # fmt: skip
        return width, height
    if mode in (ResizeMode.CENTER_CROP, ResizeMode.BORDER, ResizeMode.STRETCH):
        return size, size
    scale = size / judged(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


@given(sides, sides, st.integers(1, 3000), modes, st.booleans())
def test_the_shape_is_what_the_mode_promises(
    width: int, height: int, size: int, mode: ResizeMode, only_if_bigger: bool
) -> None:
    wanted = recipe(size=size, mode=mode, resize_only_if_bigger=only_if_bigger)
    target = placement(width, height, wanted)
    assert np.abs(np.subtract(target.canvas, promised(width, height, wanted))).max() <= (
        0 if mode not in (ResizeMode.KEEP_RATIO, ResizeMode.KEEP_RATIO_LARGEST) else 1
    )
    left, top, right, bottom = target.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert 1 <= target.width <= target.canvas[0]
    assert 1 <= target.height <= target.canvas[1]


@given(sides, sides, st.integers(1, 3000), st.booleans())
def test_turning_the_picture_turns_the_placement(
    width: int, height: int, size: int, only_if_bigger: bool
) -> None:
    for mode in ResizeMode:
        wanted = recipe(size=size, mode=mode, resize_only_if_bigger=only_if_bigger)
        one, other = placement(width, height, wanted), placement(height, width, wanted)
        assert one.canvas == other.canvas[::-1]
        assert one.box == (other.box[1], other.box[0], other.box[3], other.box[2])


@settings(max_examples=150)
@given(small_sides, small_sides, sizes, modes, st.booleans(), st.sampled_from(["JPEG", "PNG"]))
def test_pixels_have_the_shape_of_their_placement(
    width: int, height: int, size: int, mode: ResizeMode, only_if_bigger: bool, kind: str
) -> None:
    wanted = recipe(
        size=size, mode=mode, resize_only_if_bigger=only_if_bigger, background="#c81e5a"
    )
    body = file_of(Image.new("RGB", (width, height), (200, 30, 90)), kind)
    canvas = placement(width, height, wanted).canvas
    if max(canvas) > 65_500:
        with pytest.raises(PictureError):
            resized(body, wanted)
        return
    image = resized(body, wanted)
    assert image.shape == (canvas[1], canvas[0], 3)
    middle = image[image.shape[0] // 2, image.shape[1] // 2].astype(int)
    assert np.abs(middle - (200, 30, 90)).max() <= 6


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
@pytest.mark.parametrize("mode", ResizeMode)
def test_odd_pictures_become_files_or_a_reason(
    image_format: ImageFormat, shape: tuple[int, int], mode: ResizeMode
) -> None:
    body = file_of(Image.new("RGB", shape, "red"), "PNG")
    wanted = recipe(format=image_format, mode=mode, size=64)
    target = placement(*shape, wanted)
    if max(target.canvas) > 16_383:
        with pytest.raises(PictureError, match="would become") as caught:
            resized(body, recipe(format="webp", mode=mode, size=64))
        assert caught.value.reason == "too_small"
        return
    image = resized(body, wanted)
    with Image.open(io.BytesIO(encoded(image, image_format, 95))) as result:
        assert result.size == target.canvas


def test_the_border_is_the_background_and_the_picture_is_in_its_middle() -> None:
    body = file_of(Image.new("RGB", (200, 100), "blue"), "PNG")
    image = resized(body, recipe(mode="border", size=100, background="#ff8000"))
    assert (image[:25] == (255, 128, 0)).all()
    assert (image[75:] == (255, 128, 0)).all()
    assert (image[25:75] == (0, 0, 255)).all()


def test_a_kept_grey_picture_takes_colour_only_from_its_border() -> None:
    body = file_of(Image.new("L", (20, 10), 77), "PNG")
    assert resized(body, recipe(mode="border", size=20, keep_grey=True)).shape == (20, 20)
    orange = recipe(mode="border", size=20, keep_grey=True, background="#ff8000")
    assert resized(body, orange).shape == (20, 20, 3)


def test_a_crop_lies_between_pixels_where_its_middle_does() -> None:
    """A ramp of 3 pixels more than the square: the crop begins at 1.5, and is not rounded."""
    ramp = np.tile(np.arange(0, 131 * 1, dtype=np.uint8), (128, 1))
    body = file_of(Image.fromarray(ramp), "PNG")
    image = resized(body, recipe(size=64, keep_grey=True))
    assert image.shape == (64, 64)
    assert abs(float(image[32, 10:54].mean()) - 65.0) <= 0.5
