"""BigTIFF in Motorola byte order, which Pillow does not know; tifffile writes it, and judges."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile

from imagemill_worker.codecs import tiff
from imagemill_worker.codecs.tiff_directory import read_directory
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.resize import resized
from tests.helpers.pictures import Array, photograph, recipe, swapped_colours_profile
from tests.helpers.tiff_files import of_samples

WHOLE = recipe(mode="no", format="png", keep_grey=True)


def colours() -> Array:
    return np.asarray(photograph().resize((96, 80)))


def grey() -> Array:
    return np.asarray(photograph().resize((96, 80)).convert("L"))


def by_tifffile(samples: np.ndarray, order: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, bigtiff=True, byteorder=order, metadata=None, **options)
    return buffer.getvalue()


PALETTE = np.arange(768, dtype=np.uint16).reshape(3, 256) * 85
SAMPLES: dict[str, Callable[[], tuple[np.ndarray, dict[str, object]]]] = {
    "grey": lambda: (grey(), {"photometric": "minisblack"}),
    "white is zero": lambda: (255 - grey(), {"photometric": "miniswhite"}),
    "bits": lambda: (grey() > 128, {"photometric": "minisblack"}),
    "rgb": lambda: (colours(), {"photometric": "rgb"}),
    "planes": lambda: (
        colours().transpose(2, 0, 1), {"photometric": "rgb", "planarconfig": "separate"},
    ),
    "alpha": lambda: (
        np.dstack([colours(), grey()]), {"photometric": "rgb", "extrasamples": ["unassalpha"]},
    ),
    "16 bits": lambda: (grey().astype(np.uint16) * 257, {"photometric": "minisblack"}),
    "16 bits rgb": lambda: (colours().astype(np.uint16) * 257, {"photometric": "rgb"}),
    "palette": lambda: (
        grey(),
        {"photometric": "palette", "colormap": PALETTE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_big_endian_bigtiff_is_the_picture_of_its_little_endian_twin(
    name: str, compression: str | None, tile: tuple[int, int] | None
) -> None:
    samples, options = SAMPLES[name]()
    chosen = {**options, "compression": compression, "tile": tile, "rowsperstrip": 16}
    if tile:
        del chosen["rowsperstrip"]
    body = by_tifffile(samples, ">", **chosen)
    assert body[:4] == b"MM\0+"
    with tifffile.TiffFile(io.BytesIO(body)) as file:
        assert np.array_equal(file.asarray(), samples)
    found = resized(body, WHOLE)
    assert np.array_equal(found, resized(by_tifffile(samples, "<", **chosen), WHOLE))
    if name in ("rgb", "16 bits rgb", "planes"):
        assert np.array_equal(found, colours())
    if name in ("grey", "white is zero", "16 bits"):
        assert np.array_equal(found, grey())


def test_profile_of_a_big_endian_bigtiff_is_heeded() -> None:
    options = {"photometric": "rgb", "iccprofile": swapped_colours_profile()}
    found = resized(by_tifffile(colours(), ">", **options), WHOLE)
    assert np.array_equal(found, resized(by_tifffile(colours(), "<", **options), WHOLE))
    assert np.abs(found.astype(int) - colours()).max() > 100


def test_fields_that_lie_in_each_other_are_not_copied_again_and_again() -> None:
    file = of_samples(colours())
    file.order, file.is_big = ">", True
    for tag in (301, 318, 319, 347, 519, 520, 521, 529, 532):
        file.fields[tag] = (7, [0] * 3_000)
    body = bytearray(file.encode())
    directory = read_directory(bytes(body))
    assert len(tiff.classic(bytes(body), directory)) < 2.1 * len(body)
    at = 16 + 8
    while struct.unpack_from(">H", body, at) != (301,):
        at += 20
    while struct.unpack_from(">H", body, at)[0] in (301, 318, 319, 347, 519, 520, 521):
        struct.pack_into(">QQ", body, at + 4, len(body) - 16, 16)
        at += 20
    with pytest.raises(PictureError, match="fields lie in each other") as caught:
        resized(bytes(body), WHOLE)
    assert caught.value.reason == "corrupt"
