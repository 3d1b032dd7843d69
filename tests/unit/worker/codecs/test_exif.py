"""Which way up a picture is, as its metadata say."""

from __future__ import annotations

import struct

import pytest

from imagemill_worker.codecs import exif

Entry = tuple[int, int, int]  # tag, type, value
SHORT, LONG = 3, 4


def tiff_block(*entries: Entry, order: str = ">", directory_at: int = 8) -> bytes:
    """A directory of EXIF, with what is in it."""
    codes = {SHORT: "HHIHH", LONG: "HHII"}
    rows = [
        struct.pack(order + codes[kind], tag, kind, 1, value, *([0] if kind == SHORT else []))
        for tag, kind, value in entries
    ]
    head = (b"MM" if order == ">" else b"II") + struct.pack(order + "HI", 42, directory_at)
    directory = struct.pack(order + "H", len(rows)) + b"".join(rows) + bytes(4)
    return head.ljust(directory_at, b"\0") + directory


def turned(orientation: int, order: str = ">") -> bytes:
    return tiff_block((exif.ORIENTATION, SHORT, orientation), order=order)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_read_in_both_byte_orders_and_with_its_prefix(
    order: str, prefix: bytes, orientation: int
) -> None:
    assert exif.orientation(prefix + turned(orientation, order)) == orientation


@pytest.mark.parametrize("order", "<>")
def test_it_is_found_among_others_and_in_either_size(order: str) -> None:
    others = [(0x010F, SHORT, 3), (0x0110, LONG, 7)]
    block = tiff_block(*others, (exif.ORIENTATION, LONG, 5), order=order, directory_at=26)
    assert exif.orientation(block) == 5


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"XX" + turned(6)[2:],
        b"MM\0*\0\0\0\xff",
        turned(0),
        turned(9),
        turned(6)[:15],
        tiff_block((0x010F, SHORT, 6)),
        turned(6).replace(b"\0\3", b"\0\2", 1),  # as text
    ],
)
def test_broken_exif_says_nothing(block: bytes) -> None:
    assert exif.orientation(block) == 0


@pytest.mark.parametrize("packet", [b'x tiff:Orientation="8" y', b"<tiff:Orientation>8</tiff:"])
def test_xmp_says_it_as_an_attribute_or_as_an_element(packet: bytes) -> None:
    assert exif.xmp_orientation(packet) == 8


@pytest.mark.parametrize("packet", [b"", b'tiff:Orientation="9"', b"Orientation=8"])
def test_other_xmp_says_nothing(packet: bytes) -> None:
    assert exif.xmp_orientation(packet) == 0


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    rows = [len(body).to_bytes(4) + name + body + bytes(4) for name, body in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(rows)


@pytest.mark.parametrize("behind", [False, True])
def test_exif_of_a_png_is_found_before_and_behind_its_pixels(behind: bool) -> None:
    chunks = [(b"IHDR", bytes(13)), (b"eXIf", turned(3)), (b"IDAT", b"eXIf is no chunk here")]
    body = png(*(reversed(chunks) if behind else chunks), (b"IEND", b""))
    assert exif.png_exif(body) == turned(3)


def test_png_without_exif_or_that_ends_within_has_none() -> None:
    assert exif.png_exif(png((b"IHDR", bytes(13)), (b"IEND", b""))) == b""
    assert exif.png_exif(png((b"IDAT", bytes(100)), (b"eXIf", turned(3)))[:60]) == b""
    assert exif.png_exif(b"\x89PNG\r\n\x1a\n") == b""
