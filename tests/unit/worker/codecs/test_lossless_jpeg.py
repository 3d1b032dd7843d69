"""Lossless JPEG: decoded to the very pixels where libjpeg-turbo can, else refused by its name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imagemill_worker.codecs.decode_jpeg import decoded_bytes
from imagemill_worker.codecs.jpeg_header import read_jpeg_header
from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.picture.resize import resized
from tests.helpers.lossless_jpeg import JFIF, lossless_jpeg
from tests.helpers.pictures import Array, decibels, expected, photograph, recipe


def colours() -> Array:
    return np.asarray(photograph().resize((90, 70)))


def grey() -> Array:
    return np.asarray(photograph().convert("L").resize((90, 70)))


def refused(body: bytes) -> tuple[str, str]:
    with pytest.raises(PictureError) as caught:
        resized(body, recipe())
    return str(caught.value.reason), caught.value.detail


def test_every_pixel_is_the_one_that_was_encoded() -> None:
    whole = recipe(mode="no", format="png", keep_grey=True)
    assert np.array_equal(resized(lossless_jpeg(colours()), whole), colours())
    assert np.array_equal(resized(lossless_jpeg(grey(), application_data=JFIF), whole), grey())


@pytest.mark.parametrize("side", [8, 20, 64, 200])
def test_result_of_any_size_looks_as_pillow_shows_it(side: int) -> None:
    for samples in (np.asarray(photograph()), np.asarray(photograph().convert("L"))):
        body = lossless_jpeg(samples)
        assert decibels(resized(body, recipe(size=side)), expected(body, side)) > 28


def test_orientation_and_profile_are_those_of_other_jpegs() -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (8, 8)).save(buffer, "JPEG", exif=exif)
    at = buffer.getvalue().index(b"\xff\xe1")
    length = int.from_bytes(buffer.getvalue()[at + 2 : at + 4])
    application_data = buffer.getvalue()[at : at + 2 + length]
    body = lossless_jpeg(colours(), application_data=application_data)
    turned = resized(body, recipe(mode="no", format="png"))
    assert np.array_equal(turned, np.rot90(colours(), -1))


def test_memory_is_reckoned_for_the_whole_picture() -> None:
    header = read_jpeg_header(lossless_jpeg(np.asarray(photograph())))
    assert header.is_lossless
    assert decoded_bytes(header, 0.01) == decoded_bytes(header, 1.0) > 9 * 250 * 190
    body = bytearray(lossless_jpeg(colours()))
    at = body.index(b"\xff\xc3") + 5
    body[at : at + 4] = (9_000).to_bytes(2) * 2
    with pytest.raises(AloneError):
        resized(bytes(body), recipe(), alone=False)
    body[at : at + 4] = (60_000).to_bytes(2) * 2
    assert refused(bytes(body))[0] == "too_many_pixels"


@pytest.mark.parametrize("samples", [colours(), grey()])
def test_file_that_is_cut_off_anywhere_is_truncated(samples: Array) -> None:
    body = lossless_jpeg(samples)
    for length in [*range(3, 120), *range(120, len(body), 97), len(body) - 2, len(body) - 1]:
        assert refused(body[:length])[0] == "truncated", length


def test_data_that_end_within_are_corrupt() -> None:
    body = lossless_jpeg(colours())
    half = body.index(b"\xff\xda") + 4_000
    assert refused(body[:half] + b"\xff\xd9" + body[half:])[0] == "corrupt"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lossless_jpeg(grey().astype(np.uint16) * 257), "JPEG with 16-bit samples"),
        (lossless_jpeg(grey(), frame=0xCB), "Lossless JPEG with arithmetic coding"),
        (lossless_jpeg(grey(), frame=0xC7), "Hierarchical JPEG"),
        (lossless_jpeg(colours(), application_data=JFIF), "Lossless JPEG whose colours are not"),
    ],
    ids=["16 bits", "arithmetic", "hierarchical", "YCbCr"],
)
def test_what_libjpeg_turbo_cannot_decode_is_refused_by_its_name(body: bytes, words: str) -> None:
    reason, detail = refused(body)
    assert (reason, detail.startswith(words)) == ("unsupported_format", True), detail
