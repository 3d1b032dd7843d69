"""Which files are called truncated: those that end before the end that they declare."""

from __future__ import annotations

import pytest

from imagemill_worker.codecs.file_kind import Kind, kind_of
from imagemill_worker.codecs.truncation import is_cut_off
from tests.helpers.picture_files import BEYOND_PILLOW, JPEG_FILES, OTHER_FILES

TELLING = {Kind.PNG, Kind.WEBP, Kind.GIF, Kind.AVIF, Kind.JPEG2000, Kind.TIFF}
FILES = {
    name: make
    for name, make in (OTHER_FILES | BEYOND_PILLOW).items()
    if kind_of(make()) in TELLING and name != "tiff pages"  # whose first page lies first
}
SILENT = {
    name: make
    for name, make in (JPEG_FILES | OTHER_FILES).items()
    if kind_of(make()) in {Kind.JPEG, Kind.BMP, Kind.ICO}
}


@pytest.mark.parametrize("name", [*JPEG_FILES, *OTHER_FILES, *BEYOND_PILLOW])
def test_whole_file_is_not_cut_off(name: str) -> None:
    body = (JPEG_FILES | OTHER_FILES | BEYOND_PILLOW)[name]()
    assert not is_cut_off(body, kind_of(body))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_file_that_ends_early_is_cut_off(name: str, kept: float) -> None:
    body = FILES[name]()
    assert is_cut_off(body[: int(len(body) * kept)], kind_of(body))


@pytest.mark.parametrize("name", SILENT)
def test_kind_that_declares_no_end_is_never_called_cut_off(name: str) -> None:
    body = SILENT[name]()
    assert not is_cut_off(body[: len(body) // 2], kind_of(body))


@pytest.mark.parametrize("name", ["png", "gif", "webp"])
def test_some_padding_behind_the_end_is_none_of_the_file(name: str) -> None:
    body = OTHER_FILES[name]()
    assert not is_cut_off(body + bytes(8), kind_of(body))


def box(name: bytes, content: bytes, *, is_long: bool = False) -> bytes:
    if is_long:
        return (1).to_bytes(4) + name + (len(content) + 16).to_bytes(8) + content
    return (len(content) + 8).to_bytes(4) + name + content


def test_boxes_of_64_bit_lengths_are_passed_over() -> None:
    body = box(b"ftyp", b"avif") + box(b"mdat", bytes(50), is_long=True) + box(b"meta", b"x")
    assert not is_cut_off(body, Kind.AVIF)
    assert is_cut_off(body[:-1], Kind.AVIF)
    assert is_cut_off(body[:-12], Kind.AVIF)


def test_last_box_of_jpeg_2000_may_reach_to_the_end() -> None:
    body = box(b"jP  ", b"\r\n\x87\n") + bytes(4) + b"jp2c" + bytes(40)
    assert is_cut_off(body, Kind.JPEG2000)
    assert not is_cut_off(body + b"\xff\xd9", Kind.JPEG2000)


def test_box_of_an_impossible_length_is_damage_and_no_early_end() -> None:
    assert not is_cut_off((5).to_bytes(4) + b"meta" + bytes(20), Kind.HEIF)
