"""What a file is, told from its bytes: never from its name."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.file_kind import Kind, kind_of
from imagemill_worker.errors import PictureError
from tests.helpers.picture_files import JPEG_FILES, OTHER_FILES


def iso_media(major: bytes, *compatible: bytes) -> bytes:
    """The first box of an ISO base media file, and some bytes of the next."""
    box = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(box) + 4).to_bytes(4) + box + b"\0\0\1\0meta"


def refusal(body: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        kind_of(body)
    return caught.value


@pytest.mark.parametrize("name", [*JPEG_FILES, *OTHER_FILES])
def test_kind_is_the_one_that_pillow_finds_by_trying(name: str) -> None:
    body = (JPEG_FILES | OTHER_FILES)[name]()
    with Image.open(io.BytesIO(body)) as image:
        assert kind_of(body) == image.format
    assert kind_of(memoryview(body)) == kind_of(body)


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_tiff_has_two_byte_orders_and_two_sizes(start: bytes) -> None:
    assert kind_of(start + bytes(20)) is Kind.TIFF


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (iso_media(b"avif"), Kind.AVIF),
        (iso_media(b"mif1", b"miaf", b"avif"), Kind.AVIF),
        (iso_media(b"heic", b"mif1"), Kind.HEIF),
        (iso_media(b"mif1", b"heic"), Kind.HEIF),
        (iso_media(b"isom", b"mp41", b"msf1"), Kind.HEIF),
    ],
)
def test_compatible_brands_count_as_much_as_the_major_one(body: bytes, kind: Kind) -> None:
    assert kind_of(body) is kind


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (iso_media(b"isom", b"mp41"), "MP4"),
        (iso_media(b"qt  "), "QuickTime"),
        (iso_media(b"crx "), "Canon CR3"),
        (b"RIFF\0\0\0\0AVI LIST", "RIFF AVI"),
        (b"P6\n3 2\n255\n", "Netpbm"),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<SVG xmlns='x'>", "SVG"),
        (b"IIU\0\x18\0\0\0", "Panasonic RW2"),
        (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    ],
)
def test_picture_or_film_that_is_not_decoded_is_named(body: bytes, name: str) -> None:
    error = refusal(body)
    assert error.reason is Reason.UNSUPPORTED_FORMAT
    assert error.detail == f"{name} files are not supported."


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (bytes(600), "zero bytes only"),
        (b" \n<HTML><body>403</body></HTML>", "HTML"),
        (b"\x1f\x8b\x08\0", "an archive"),
        ("Grüße, 世界\n".encode() * 200, "text"),
        (b"P6: no header", "text"),
        (b"\x89PNG\r\n\x1a\r", "no known kind"),
        (b"\x00\x01\x02\x03" * 50, "no known kind"),
    ],
)
def test_what_is_no_picture_is_described(body: bytes, what: str) -> None:
    error = refusal(body)
    assert error.reason is Reason.NOT_AN_IMAGE
    assert what in error.detail


@pytest.mark.parametrize("length", range(495, 518))
def test_text_is_text_wherever_its_first_part_cuts_a_character(length: int) -> None:
    assert "text" in refusal(("x" * (length % 3) + "世界" * 200).encode()[:length]).detail


def test_no_bytes_are_empty() -> None:
    assert refusal(b"").reason is Reason.EMPTY
