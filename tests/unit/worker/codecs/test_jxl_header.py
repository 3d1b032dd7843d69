"""The size of a JPEG XL file, read before its decoder takes memory for it."""

from __future__ import annotations

import pillow_jxl  # noqa: F401 # so that Pillow writes JPEG XL
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.jxl_header import jxl_size
from imagemill_worker.errors import PictureError
from tests.helpers.pictures import file_of

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
# ISO/IEC 18181-1, table of SizeHeader: ratio of width to height by its number
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def stream_of(*fields: tuple[int, int]) -> bytes:
    """A code stream that begins with these numbers, each of so many bits, lowest bit first."""
    value = at = 0
    for number, bits in fields:
        value |= number << at
        at += bits
    return b"\xff\x0a" + value.to_bytes(12, "little")


def reason_of(body: bytes) -> Reason:
    with pytest.raises(PictureError) as caught:
        jxl_size(body)
    return caught.value.reason


@settings(max_examples=40)
@given(st.integers(1, 1200), st.integers(1, 1200))
@example(256, 256)
@example(256, 192)
@example(1920, 1080)
@example(9000, 1)
def test_declared_size_is_that_of_the_picture(width: int, height: int) -> None:
    body = file_of(Image.new("L", (width, height)), "JXL", effort=1)
    assert jxl_size(body) == (width, height)
    for box in (b"jxlc" + body, b"jxlp\0\0\0\0" + body):
        assert jxl_size(CONTAINER + (len(box) + 4).to_bytes(4) + box) == (width, height)


@pytest.mark.parametrize(("number", "ratio"), RATIOS.items())
def test_width_may_be_declared_as_a_ratio(number: int, ratio: tuple[int, int]) -> None:
    in_eighths = stream_of((1, 1), (24, 5), (number, 3))
    assert jxl_size(in_eighths) == (200 * ratio[0] // ratio[1], 200)
    exact = stream_of((0, 1), (1, 2), (998, 13), (number, 3))
    assert jxl_size(exact) == (999 * ratio[0] // ratio[1], 999)


@pytest.mark.parametrize(("choice", "bits"), [(0, 9), (1, 13), (2, 18), (3, 30)])
def test_largest_size_of_each_length_is_read(choice: int, bits: int) -> None:
    most = 2**bits - 1
    stream = stream_of((0, 1), (choice, 2), (most, bits), (0, 3), (choice, 2), (most, bits))
    assert jxl_size(stream) == (2**bits, 2**bits)


def test_other_boxes_are_passed_over_whatever_their_length_is_written_in() -> None:
    stream = stream_of((1, 1), (0, 5), (1, 3))
    long = (1).to_bytes(4) + b"Exif" + (16 + 5).to_bytes(8) + b"photo"
    short = (8 + 3).to_bytes(4) + b"xml " + b"<x>"
    endless = (0).to_bytes(4) + b"jxlc" + stream
    assert jxl_size(CONTAINER + long + short + endless) == (8, 8)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.TRUNCATED),
        (CONTAINER, Reason.TRUNCATED),
        (CONTAINER + (5).to_bytes(4) + b"brok" + bytes(20), Reason.TRUNCATED),
        (CONTAINER + (90).to_bytes(4) + b"xml " + bytes(20), Reason.TRUNCATED),
        (CONTAINER + (28).to_bytes(4) + b"jxlc" + bytes(20), Reason.CORRUPT),
    ],
)
def test_file_without_a_code_stream_is_rejected(body: bytes, reason: Reason) -> None:
    assert reason_of(body) is reason
