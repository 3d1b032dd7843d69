"""Files that are no pictures, or not whole, or not what they say: each has its own reason."""

from __future__ import annotations

import random

import pytest
from PIL import Image

from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.picture.resize import resized
from tests.helpers.picture_files import BEYOND_PILLOW, JPEG_FILES, OTHER_FILES
from tests.helpers.pictures import file_of, jpeg, photograph, png_declaring, recipe


def reason_of(body: bytes, **fields: object) -> tuple[str, str]:
    with pytest.raises(PictureError) as caught:
        resized(body, recipe(**fields))
    assert caught.value.detail.endswith(".")
    return str(caught.value.reason), caught.value.detail


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        (b"", "empty", "no bytes"),
        (b"hello, this is text", "not_an_image", "text"),
        (b"<!DOCTYPE html><html><img src=x></html>", "not_an_image", "HTML"),
        (bytes(5000), "not_an_image", "zero bytes"),
        (b"\x8f\x01\x99\xff" * 99, "not_an_image", "no known kind"),
        (b"PK\x03\x04" + bytes(50), "not_an_image", "archive"),
        (b"\xff\xd8", "not_an_image", "no known kind"),
        (b"%PDF-1.7 ...", "unsupported_format", "PDF"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "unsupported_format", "SVG"),
        (b"8BPS\0\1", "unsupported_format", "PSD"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "unsupported_format", "MP4"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "unsupported_format", "WAVE"),
        (png_declaring(20_000, 20_000), "too_many_pixels", "20000 x 20000"),
        (b"BM" + bytes(60), "unsupported_format", "BMP"),
        (jpeg()[:20], "truncated", "header"),
        (b"GIF89a", "truncated", "ends before"),
    ],
)
def test_what_is_no_picture_is_named(body: bytes, reason: str, said: str) -> None:
    found, detail = reason_of(body)
    assert found == reason
    assert said in detail


# What Pillow has to say of some files; the lane does not repeat it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ALL_FILES = JPEG_FILES | OTHER_FILES | BEYOND_PILLOW
WHOLE_IN_HALF = {"apng", "gif", "tiff pages"}  # their first picture is
DOES_NOT_TELL = ("ico", "bmp", "jpeg 2000 code stream", "jpeg xl")


@pytest.mark.parametrize("name", sorted(ALL_FILES.keys() - WHOLE_IN_HALF))
def test_half_a_file_is_truncated(name: str) -> None:
    body = ALL_FILES[name]()
    if name == "trailing garbage":
        body = jpeg()
    reason, _ = reason_of(body[: len(body) // 2])
    assert reason == "truncated" or (reason == "corrupt" and name.startswith(DOES_NOT_TELL))


def test_a_jpeg_without_its_last_bytes_is_truncated() -> None:
    body = jpeg(progressive=False)
    for missing in (2, 3, 100):
        assert reason_of(body[:-missing])[0] == "truncated"


def test_a_jpeg_whose_data_end_within_is_corrupt() -> None:
    body = jpeg()
    at = body.index(b"\xff\xda") + 2000
    assert reason_of(body[:at] + b"\xff\xd9" + body[at:])[0] == "corrupt"


def test_damage_in_a_png_is_found_by_its_checksums() -> None:
    body = bytearray(file_of(photograph(), "PNG"))
    body[len(body) // 2] ^= 1
    assert reason_of(bytes(body))[0] == "corrupt"


def test_padding_between_segments_and_before_the_end_is_no_damage() -> None:
    body = jpeg()
    resized(body[:-2] + bytes(7) + body[-2:], recipe())
    at = body.index(b"\xff\xdb")
    resized(body[:at] + b"\xff\xff" + body[at:], recipe())


@pytest.mark.parametrize("seed", range(4))
def test_no_flipped_bit_does_more_than_reject_its_picture(seed: int) -> None:
    generator = random.Random(seed)
    files = [make() for make in ALL_FILES.values()]
    for _ in range(150):
        body = bytearray(generator.choice(files))
        for _ in range(generator.choice([1, 1, 4, 16])):
            at = generator.randrange(generator.choice([len(body), min(len(body), 400)]))
            body[at] = generator.choice([0, 255, generator.randrange(256)])
        try:
            image = resized(bytes(body), recipe(size=32))
        except PictureError:
            continue
        assert image.shape == (32, 32, 3)


def test_limits_hold_before_anything_is_decoded() -> None:
    assert reason_of(jpeg(), max_pixels=1000)[0] == "too_many_pixels"
    wide = file_of(Image.new("1", (20_000, 1)), "PNG")
    assert reason_of(wide, mode="no", format="webp")[0] == "too_many_pixels"
    assert reason_of(wide, mode="keep_ratio", size=64)[0] == "too_small"


def test_a_picture_that_needs_much_memory_is_put_off() -> None:
    with pytest.raises(AloneError):
        resized(png_declaring(12_000, 12_000), recipe(), alone=False)
    assert reason_of(png_declaring(12_000, 12_000))[0] in ("truncated", "corrupt")
