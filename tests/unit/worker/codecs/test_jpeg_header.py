"""The header of a JPEG file, read without its decoder."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.jpeg_header import JpegHeader, read_jpeg_header
from imagemill_worker.errors import PictureError
from tests.helpers.picture_files import JPEG_FILES
from tests.helpers.pictures import jpeg


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def frame(width: int, height: int, components: int = 3, bits: int = 8) -> bytes:
    sides = height.to_bytes(2) + width.to_bytes(2)
    return bytes([bits]) + sides + bytes([components]) + bytes(3 * components)


SCAN = segment(0xDA, bytes(6))


def jpeg_of(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + SCAN


def refusal(body: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        read_jpeg_header(body)
    return caught.value


def icc_part(number: int, content: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + content)


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return segment(0xE1, b"Exif\0\0" + data.tobytes().removeprefix(b"Exif\0\0"))


def xmp(orientation: int) -> bytes:
    packet = b'<rdf:Description tiff:Orientation="%d"/>' % orientation
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


@pytest.mark.parametrize("name", JPEG_FILES)
def test_header_says_what_pillow_says(name: str) -> None:
    body = JPEG_FILES[name]()
    header = read_jpeg_header(body)
    with Image.open(io.BytesIO(body)) as image:
        assert (header.width, header.height) == image.size
        assert header.components == len(image.getbands())
        assert header.is_progressive == bool(image.info.get("progressive"))
    assert read_jpeg_header(memoryview(body)) == header


def test_profile_is_put_together_by_the_numbers_of_its_parts() -> None:
    profile = bytes(range(256)) * 600  # does not fit into one segment
    assert read_jpeg_header(jpeg(icc_profile=profile)).icc_profile == profile
    parts = [icc_part(2, b"two"), icc_part(1, b"one"), icc_part(3, b"three"), icc_part(2, b"again")]
    assert read_jpeg_header(jpeg_of(*parts, segment(0xC0, frame(3, 2)))).icc_profile == (
        b"onetwothree"
    )


@pytest.mark.parametrize(
    ("segments", "orientation"),
    [
        ([], 1),
        ([exif(6)], 6),
        ([xmp(8)], 8),
        ([xmp(8), exif(6)], 6),
        ([exif(6), exif(3)], 6),
        ([segment(0xE1, b"Exif\0\0broken"), xmp(5)], 5),
    ],
)
def test_exif_counts_before_xmp_and_the_first_before_others(
    segments: list[bytes], orientation: int
) -> None:
    header = read_jpeg_header(jpeg_of(*segments, segment(0xC0, frame(3, 2))))
    assert header.orientation == orientation


def test_first_frame_is_the_picture() -> None:
    thumbnail = segment(0xE1, b"Exif\0\0" + segment(0xC0, frame(160, 120)))
    header = read_jpeg_header(
        jpeg_of(thumbnail, segment(0xC2, frame(3, 2)), segment(0xC0, frame(9, 9)))
    )
    assert (header.width, header.height, header.is_progressive) == (3, 2, True)


def test_fill_bytes_garbage_and_lone_markers_are_passed_over() -> None:
    body = jpeg_of(b"\xff\xff\xff", b"\0\0stray", b"\xff\x01", segment(0xC0, frame(3, 2)))
    assert read_jpeg_header(body) == read_jpeg_header(jpeg_of(segment(0xC0, frame(3, 2))))


def test_lossless_jpeg_is_known_as_such() -> None:
    header = read_jpeg_header(jpeg_of(segment(0xC3, frame(3, 2))))
    assert (header.width, header.height, header.is_lossless) == (3, 2, True)
    assert not read_jpeg_header(jpeg_of(segment(0xC0, frame(3, 2)))).is_lossless


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        *((marker, "Hierarchical JPEG is not") for marker in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)),
        (0xCB, "Lossless JPEG with arithmetic coding is not"),
    ],
)
def test_frame_that_nothing_here_decodes_is_named(marker: int, words: str) -> None:
    error = refusal(jpeg_of(segment(marker, frame(3, 2))))
    assert (error.reason, words in error.detail) == (Reason.UNSUPPORTED_FORMAT, True)


@pytest.mark.parametrize("bits", [2, 12, 16])
def test_lossless_jpeg_of_other_than_eight_bits_is_named(bits: int) -> None:
    error = refusal(jpeg_of(segment(0xC3, frame(3, 2, bits=bits))))
    assert (error.reason, f"{bits}-bit" in error.detail) == (Reason.UNSUPPORTED_FORMAT, True)


def test_jpeg_of_twelve_bits_is_named() -> None:
    error = refusal(jpeg_of(segment(0xC1, frame(3, 2, bits=12))))
    assert (error.reason, "12-bit" in error.detail) == (Reason.UNSUPPORTED_FORMAT, True)


@pytest.mark.parametrize("segments", [[], [segment(0xC4, bytes(20))], [b"\xff\xd9"]])
def test_pixels_without_a_frame_before_them_are_corrupt(segments: list[bytes]) -> None:
    assert refusal(jpeg_of(*segments)).reason is Reason.CORRUPT


def test_frame_that_is_too_short_is_corrupt() -> None:
    assert refusal(jpeg_of(segment(0xC0, frame(3, 2)[:5]))).reason is Reason.CORRUPT


def test_header_that_ends_anywhere_is_truncated() -> None:
    body = jpeg_of(exif(6), icc_part(1, bytes(30)), segment(0xC0, frame(3, 2)))
    for length in range(2, len(body)):
        assert refusal(body[:length]).reason is Reason.TRUNCATED
    assert read_jpeg_header(body).orientation == 6


def test_header_of_nothing_stands_upright() -> None:
    assert (JpegHeader().orientation, JpegHeader().icc_profile) == (1, b"")
