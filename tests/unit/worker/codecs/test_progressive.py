"""At an eighth of the size, the scans of detail are left out of progressive files."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.decode_jpeg import decode_jpeg
from imagemill_worker.codecs.jpeg_header import next_segment, read_jpeg_header
from imagemill_worker.codecs.progressive import without_detail
from imagemill_worker.errors import PictureError
from tests.helpers.pictures import file_of, jpeg, photograph

END = b"\xff\xd9"
KINDS: dict[str, dict[str, object]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:2:0": {"subsampling": "4:2:0"},
    "restarts": {"subsampling": "4:2:0", "restart_marker_blocks": 7},
}
# The last has more blocks than the longest run of empty ones.
SIZES = [(64, 64), (65, 127), (1001, 743), (1600, 1304)]


def progressive(width: int = 1001, height: int = 743, **options: object) -> bytes:
    return jpeg(width, height, progressive=True, **options)


def at_an_eighth(body: bytes) -> NDArray[np.uint8]:
    """As simplejpeg decodes it. It raises ValueError for whatever is wrong with a file."""
    height, width, colours, _ = simplejpeg.decode_jpeg_header(body)
    sides = {"min_height": -(-height // 8), "min_width": -(-width // 8)}
    colours = "GRAY" if colours == "Gray" else "RGB"
    return np.asarray(simplejpeg.decode_jpeg(body, colours, **sides))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_pixel_changes(kind: str, width: int, height: int) -> None:
    body = progressive(width, height, **KINDS[kind])
    short = without_detail(body)
    assert len(short) < len(body)
    assert np.array_equal(at_an_eighth(bytes(short)), at_an_eighth(body))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_pixel_of_a_grey_picture_changes(width: int, height: int) -> None:
    grey = photograph().convert("L").resize((width, height))
    body = file_of(grey, "JPEG", quality=92, progressive=True)
    short = without_detail(body)
    assert len(short) < len(body) / 2
    assert np.array_equal(at_an_eighth(bytes(short)), at_an_eighth(body))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_decoder_leaves_detail_out_where_it_does_not_matter(mode: str) -> None:
    """It then does not see that the scans of detail are damaged, either."""
    body = file_of(photograph().convert(mode).resize((999, 777)), "JPEG", progressive=True)
    header = read_jpeg_header(body)
    scans = scans_of(body)
    begins, ends = scans[1]
    damaged = body[:begins] + bytes(ends - begins) + body[ends:]
    with Image.open(io.BytesIO(body)) as whole:
        whole.draft(mode, (999 // 8, 777 // 8))
        expected = np.asarray(whole) if mode == "CMYK" else at_an_eighth(body)
    for file in (body, damaged):
        result = np.asarray(decode_jpeg(memoryview(file), header, 0.125).image)
        assert np.array_equal(result, expected.reshape(result.shape))
    if mode != "CMYK":
        with pytest.raises(PictureError) as caught:
            decode_jpeg(damaged, header, 0.25)
        assert caught.value.reason is Reason.CORRUPT


def scans_of(body: bytes) -> list[tuple[int, int]]:
    """Where the data of each scan begin and end."""
    found = []
    end = 2
    while body[end : end + 2] != END:
        marker, _, end = next_segment(body, end)
        if marker == 0xDA:
            begin = end
            while body[end] != 0xFF or body[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            found.append((begin, end))
    return found


def test_baseline_file_stays_as_it_is() -> None:
    body = jpeg(1001, 743)
    assert without_detail(body) is body


@pytest.mark.parametrize("scans", range(1, 10))
def test_file_that_lacks_scans_stays_as_it_is(scans: int) -> None:
    """An end after so many of its ten scans."""
    body = progressive()
    cut = body[: scans_of(body)[scans - 1][1]] + END
    assert without_detail(cut) is cut


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_file_that_ends_early_stays_as_it_is_and_is_truncated(share: float) -> None:
    body = progressive()
    cut = body[: int(len(body) * share)]
    assert without_detail(cut) is cut
    with pytest.raises(PictureError) as caught:
        decode_jpeg(cut, read_jpeg_header(body), 0.1)
    assert caught.value.reason is Reason.TRUNCATED


def test_damage_that_matters_is_still_seen() -> None:
    body = progressive()
    begins, ends = scans_of(body)[0]
    no_codes = b"\xff\0" * ((ends - begins) // 2)
    damaged = body[:begins] + no_codes + body[begins + len(no_codes) :]
    assert without_detail(damaged) is not damaged
    with pytest.raises(PictureError) as caught:
        decode_jpeg(damaged, read_jpeg_header(body), 0.1)
    assert caught.value.reason is Reason.CORRUPT


def test_whatever_bytes_are_wrong_a_file_comes_back() -> None:
    body = progressive(200, 150)
    draw = random.Random(7)
    markers = [at for at in range(2, len(body) - 2) if body[at] == 0xFF and body[at + 1] >= 0xC0]
    shortened = 0
    for _ in range(3000):
        changed = bytearray(body)
        changed[draw.choice(markers) + draw.randrange(1, 20)] = draw.choice((0, 1, 17, 255))
        wrong = bytes(changed)
        short = bytes(without_detail(wrong))
        assert short == wrong or (short.startswith(b"\xff\xd8") and short.endswith(END))
        shortened += short != wrong
    assert 300 < shortened < 2700
