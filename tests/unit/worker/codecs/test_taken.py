"""What a picture was before it was resized: its upright size, and when it was taken."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill_contract.document_parts.pictures import Original
from imagemill_worker.codecs.exif import taken
from imagemill_worker.picture.resize import padded
from tests.helpers.pictures import recipe

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
WHEN = "2026:11:30 14:05:09"


def exif(**fields: str | int) -> Image.Exif:
    """EXIF with these fields; those of dates are in a directory of their own."""
    tags = {"original": 0x9003, "digitized": 0x9004, "offset": 0x9011}
    block = Image.Exif()
    if "orientation" in fields:
        block[0x0112] = fields.pop("orientation")
    block[0x0132] = "2001:01:01 00:00:00"  # when it was edited
    block._ifds[0x8769] = {tags[name]: value for name, value in fields.items()}
    return block


def file_with(block: Image.Exif, kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40)).save(file, kind, exif=block.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_date_of_a_picture_is_found_in_every_kind_of_file(kind: str) -> None:
    body = file_with(exif(original=WHEN), kind)
    assert padded(body, recipe(size=8)).original == Original(60, 40, "2026-11-30T14:05:09")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_size_is_that_of_the_upright_picture(kind: str) -> None:
    body = file_with(exif(orientation=6), kind)
    assert padded(body, recipe(size=8)).original == Original(40, 60, "")
    assert padded(body, recipe(size=8, mode="border")).original == Original(40, 60, "")


def test_size_is_known_where_the_corner_is_kept() -> None:
    body = file_with(exif(original=WHEN), "JPEG")
    found = padded(body, recipe(size=8, anchor="top_left"))
    assert found.original == Original(60, 40, "2026-11-30T14:05:09")


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ({"original": WHEN, "offset": "+01:00"}, "2026-11-30T14:05:09+01:00"),
        ({"original": WHEN, "offset": "here"}, "2026-11-30T14:05:09"),
        ({"original": "0000:00:00 00:00:00"}, ""),
        ({"original": "yesterday", "digitized": WHEN}, "2026-11-30T14:05:09"),
        ({"digitized": WHEN}, "2026-11-30T14:05:09"),
        ({}, ""),
    ],
)
def test_only_what_is_a_date_counts(fields: dict[str, str], date: str) -> None:
    assert taken(exif(**fields).tobytes()) == date


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_no_block_is_too_broken(block: bytes, begin: bytes) -> None:
    assert isinstance(taken(begin + struct.pack("<I", 8) + block), str)


@given(st.data())
def test_a_block_with_wrong_bytes_gives_a_date_or_none(data: st.DataObject) -> None:
    block = bytearray(exif(original=WHEN).tobytes())
    for _ in range(3):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(taken(bytes(block)), str)
