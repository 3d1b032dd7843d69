"""TIFF files of layouts that Pillow refuses or misreads: read rightly, or refused by what they are.

The judge is OpenCV, which reads them with a libtiff of its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from imagemill_worker.errors import PictureError
from imagemill_worker.picture.resize import resized
from tests.helpers.pictures import Array, photograph, recipe
from tests.helpers.tiff_files import Tiff, layout, of_samples, of_ycbcr

WHOLE = recipe(mode="no", format="png", keep_grey=True)
SIDES = 96, 80
YCBCR_LAYOUTS = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (4, 4)]


def colours() -> Array:
    return np.asarray(photograph().resize(SIDES))


def grey() -> Array:
    return np.asarray(photograph().resize(SIDES).convert("L"))


def by_opencv(body: bytes) -> Array:
    image: Array | None = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[:, :, ::-1]


def ycbcr(across: int = 2, down: int = 2, **fields: int) -> Tiff:
    return of_ycbcr(photograph().resize(SIDES), across, down, **fields)


def big_endian(samples: np.ndarray, **fields: int) -> Tiff:
    """A BigTIFF in Motorola byte order."""
    found = of_samples(samples.astype(samples.dtype.newbyteorder(">")), **fields)
    found.order, found.is_big = ">", True
    return found


def refused(body: bytes) -> tuple[str, str]:
    with pytest.raises(PictureError) as caught:
        resized(body, WHOLE)
    return str(caught.value.reason), caught.value.detail


@pytest.mark.parametrize(("across", "down"), YCBCR_LAYOUTS)
@pytest.mark.parametrize("is_data_last", [True, False])
def test_ycbcr_with_few_colour_samples_is_read_as_opencv_reads_it(
    across: int, down: int, is_data_last: bool
) -> None:
    file = ycbcr(across, down)
    file.is_data_last = is_data_last
    found = resized(file.encode(), WHOLE).astype(int)
    assert np.abs(found - by_opencv(file.encode())).max() <= 1
    assert np.abs(found - colours()).mean() < 12


def test_ycbcr_without_a_word_on_its_colour_samples_has_what_its_bytes_are_enough_for() -> None:
    for across, down in ((1, 1), (2, 2)):
        file = ycbcr(across, down)
        expected = resized(file.encode(), WHOLE)
        del file.fields[530]
        assert np.array_equal(resized(file.encode(), WHOLE), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_other_tiffs(orientation: int) -> None:
    plain = resized(ycbcr().encode(), WHOLE)
    turned = Image.fromarray(plain)
    exif = turned.getexif()
    exif[0x0112] = orientation
    upright = io.BytesIO()
    turned.save(upright, "PNG", exif=exif)
    wanted = resized(upright.getvalue(), WHOLE)
    assert np.array_equal(resized(ycbcr(orientation=orientation).encode(), WHOLE), wanted)
    of_big = resized(big_endian(plain, orientation=orientation).encode(), WHOLE)
    assert np.array_equal(of_big, wanted)


CUT: dict[str, Callable[[], Tiff]] = {
    "ycbcr": ycbcr,
    "ycbcr in one strip": lambda: ycbcr(rows=SIDES[1]),
    "ycbcr, big": lambda: Tiff(ycbcr().fields, ycbcr().strips, ">", is_big=True),
    "ycbcr, all samples": lambda: ycbcr(1, 1),
    "big": lambda: big_endian(colours()),
    "big, in one strip": lambda: big_endian(colours(), rows=SIDES[1]),
    "big, 16 bits": lambda: big_endian(grey().astype(np.uint16) * 257),
    "rgb": lambda: of_samples(colours()),
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("is_data_last", [True, False])
def test_file_that_is_cut_off_anywhere_is_truncated(name: str, is_data_last: bool) -> None:
    file = CUT[name]()
    file.is_data_last = is_data_last
    body = file.encode()
    # behind the last field may be the address of a further picture, which there is not
    needed = len(body) if is_data_last else len(body) - 8
    for length in [*range(4, 400, 3), *range(400, needed, 211), *range(needed - 9, needed)]:
        assert refused(body[:length])[0] == "truncated", length
    assert len(resized(body, WHOLE)) == SIDES[1]


@pytest.mark.parametrize(
    ("kind", "sample_format", "words"),
    [
        ("<i2", 2, "signed 16-bit samples"),
        (">i2", 2, "signed 16-bit samples"),
        ("i1", 2, "signed 8-bit samples"),
        ("<i4", 2, "signed 32-bit samples"),
        ("<u4", 1, "with 32-bit samples"),
        ("<f4", 3, "floating-point 32-bit samples"),
        (">f8", 3, "floating-point 64-bit samples"),
    ],
)
def test_samples_whose_white_nobody_knows_are_refused_by_their_name(
    kind: str, sample_format: int, words: str
) -> None:
    file = of_samples(grey().astype(kind), sample_format=sample_format)
    reason, detail = refused(file.encode())
    assert reason == "unsupported_format"
    assert words in detail
    assert detail.endswith("are not supported: their white is not defined.")


def test_sixteen_bits_whose_white_is_zero_are_no_negative() -> None:
    file = of_samples(65_535 - grey().astype("<u2") * 257, photometric=0)
    assert np.array_equal(resized(file.encode(), WHOLE), grey())
    three = of_samples(grey().astype("<u2") * 257)
    assert np.array_equal(resized(three.encode(), WHOLE), grey())


def test_twelve_bits_reach_white() -> None:
    samples = (grey().astype(int) * 4095 + 127) // 255
    bits = "".join(f"{number:012b}" for number in samples.ravel())
    packed = int(bits, 2).to_bytes(len(bits) // 8)
    file = Tiff(layout(SIDES, (12,), 1, SIDES[1]), [packed])
    assert np.array_equal(resized(file.encode(), WHOLE), grey())
