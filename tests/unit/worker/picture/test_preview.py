"""Small copies for the page of a run: of every format that jobs write, and never dear."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from imagemill_worker.picture.preview import preview


def file_of(size: tuple[int, int], image_format: str, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 200 if mode == "L" else (200, 30, 90)).save(buffer, image_format)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_a_preview_fits_into_a_small_square(image_format: str, mode: str) -> None:
    body = preview(file_of((640, 160), image_format, mode))
    with Image.open(io.BytesIO(body)) as small:
        assert (small.format, small.size) == ("WEBP", (96, 24))
    assert preview(file_of((640, 160), image_format, mode)) == body


def test_a_picture_that_is_small_already_keeps_its_size() -> None:
    with Image.open(io.BytesIO(preview(file_of((40, 30), "PNG")))) as small:
        assert small.size == (40, 30)


def test_what_is_too_large_to_be_decoded_beside_the_job_has_none() -> None:
    assert preview(file_of((5000, 5000), "PNG", "L")) == b""
    assert preview(file_of((5000, 5000), "JPEG", "L"))  # which is decoded at an eighth


def test_what_is_no_picture_has_none() -> None:
    assert preview(b"text") == b""
    assert preview(file_of((300, 300), "PNG")[:200]) == b""


def test_pillow_has_no_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    body = file_of((640, 160), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert preview(body)
