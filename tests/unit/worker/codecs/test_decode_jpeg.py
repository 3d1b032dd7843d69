"""JPEG files are decoded at the smallest scale that keeps the detail of the result."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.decode_jpeg import decode_jpeg, decoded_bytes
from imagemill_worker.codecs.jpeg_header import read_jpeg_header
from imagemill_worker.errors import PictureError
from tests.helpers.picture_files import JPEG_FILES
from tests.helpers.pictures import decibels, jpeg


def decoded(body: bytes, least_scale: float) -> Image.Image:
    return decode_jpeg(body, read_jpeg_header(body), least_scale).image


@pytest.mark.parametrize(
    ("least_scale", "scale"),
    [(0.01, 1 / 8), (0.125, 1 / 8), (0.13, 1 / 4), (0.25, 1 / 4), (0.3, 1 / 2), (0.51, 1), (2, 1)],
)
@pytest.mark.parametrize("shape", [(1001, 743), (64, 999)])
def test_scale_is_the_smallest_that_is_large_enough(
    shape: tuple[int, int], least_scale: float, scale: float
) -> None:
    body = jpeg(*shape)
    result = decode_jpeg(body, read_jpeg_header(body), least_scale)
    assert result.scale == scale
    assert result.image.size == tuple(math.ceil(side * scale) for side in shape)


def test_picture_of_few_pixels_is_decoded_as_it_is() -> None:
    body = jpeg(63, 500)
    result = decode_jpeg(body, read_jpeg_header(body), 0.1)
    assert (result.scale, result.image.size) == (1, (63, 500))


@pytest.mark.parametrize("name", JPEG_FILES)
def test_mode_is_that_of_the_file_and_pixels_are_those_of_pillow(name: str) -> None:
    body = JPEG_FILES[name]()
    with Image.open(io.BytesIO(body)) as image:
        ours = decoded(body, 1)
        assert (ours.mode, ours.size) == (image.mode, image.size)
        assert decibels(np.asarray(ours), np.asarray(image)) > 30


@pytest.mark.parametrize("name", ["cmyk", "cmyk, no adobe marker"])
def test_four_colours_are_scaled_too(name: str) -> None:
    body = JPEG_FILES[name]()
    header = read_jpeg_header(body)
    result = decode_jpeg(body, header, 0.2)
    assert result.image.mode == "CMYK"
    assert result.image.size == (math.ceil(header.width / 4), math.ceil(header.height / 4))
    assert result.scale == 1 / 4


@pytest.mark.parametrize("least_scale", [0.1, 0.25, 0.5, 1])
@pytest.mark.parametrize("progressive", [False, True])
def test_memory_is_foretold(least_scale: float, progressive: bool) -> None:
    body = jpeg(1001, 743, progressive=progressive)
    header = read_jpeg_header(body)
    array_and_copy = 2 * len(decoded(body, least_scale).tobytes())
    coefficients = 2 * 3 * 1001 * 743 if progressive else 0
    foretold = decoded_bytes(header, least_scale)
    assert array_and_copy + coefficients <= foretold * 1.01
    assert foretold <= 2 * array_and_copy + coefficients


def damaged(body: bytes) -> bytes:
    """With an end in the middle of its pixels."""
    at = body.index(b"\xff\xda") + 2000
    return body[:at] + b"\xff\xd9" + body[at:]


@pytest.mark.parametrize("progressive", [False, True])
def test_file_that_ends_within_its_pixels_is_truncated(progressive: bool) -> None:
    body = jpeg(progressive=progressive)
    with pytest.raises(PictureError) as caught:
        decoded(body[: len(body) // 2], 1)
    assert caught.value.reason is Reason.TRUNCATED


def test_end_among_the_pixels_is_damage() -> None:
    with pytest.raises(PictureError) as caught:
        decoded(damaged(jpeg()), 1)
    assert caught.value.reason is Reason.CORRUPT


@pytest.mark.parametrize("padding", [b"\0" * 7, b"\xff" * 3])
def test_padding_before_the_end_loses_no_pixel(padding: bytes) -> None:
    body = jpeg()
    padded = decoded(body[:-2] + padding + body[-2:], 1)
    assert decibels(np.asarray(padded), np.asarray(decoded(body, 1))) > 45
