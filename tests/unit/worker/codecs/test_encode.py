"""From pixels to the bytes of a file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imagemill_contract.recipe import ImageFormat
from imagemill_worker.codecs.encode import encoded
from tests.helpers.pictures import decibels, photograph

KINDS = {
    **{ImageFormat.JPG: "JPEG", ImageFormat.PNG: "PNG"},
    **{ImageFormat.WEBP: "WEBP", ImageFormat.AVIF: "AVIF"},
}


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("grey", [True, False])
def test_files_decode_to_what_was_encoded(image_format: ImageFormat, grey: bool) -> None:
    image = np.asarray(photograph().convert("L") if grey else photograph())
    body = encoded(image, image_format, 95)
    assert body == encoded(image, image_format, 95)
    with Image.open(io.BytesIO(body)) as result:
        assert result.format == KINDS[image_format]
        if image_format not in (ImageFormat.WEBP, ImageFormat.AVIF):  # always in colour
            assert result.mode == ("L" if grey else "RGB")
        assert decibels(np.asarray(result.convert("L" if grey else "RGB")), image) > 32


def test_png_loses_nothing() -> None:
    image = np.asarray(photograph())
    with Image.open(io.BytesIO(encoded(image, ImageFormat.PNG, 1))) as result:
        assert np.array_equal(np.asarray(result), image)


@pytest.mark.parametrize("image_format", ImageFormat)
def test_rows_need_not_lie_behind_each_other(image_format: ImageFormat) -> None:
    whole = np.asarray(photograph())
    part = whole[10:90, 20:100]
    assert not part.flags.c_contiguous
    assert encoded(part, image_format, 80) == encoded(part.copy(), image_format, 80)


def test_quality_decides_the_size_of_a_file() -> None:
    image = np.asarray(photograph())
    for image_format in (ImageFormat.JPG, ImageFormat.WEBP, ImageFormat.AVIF):
        lengths = [len(encoded(image, image_format, quality)) for quality in (10, 60, 95)]
        assert lengths == sorted(lengths)
        assert lengths[0] < lengths[2] / 2


@pytest.mark.parametrize(("quality", "sampling"), [(89, (2, 2)), (90, (1, 1)), (100, (1, 1))])
def test_colour_keeps_its_resolution_from_quality_90_on(
    quality: int, sampling: tuple[int, int]
) -> None:
    body = encoded(np.asarray(photograph()), ImageFormat.JPG, quality)
    with Image.open(io.BytesIO(body)) as image:
        (_, across, down, _), *others = getattr(image, "layer")  # noqa: B009 # of JPEG alone
    assert (across, down) == sampling
    assert [layer[1:3] for layer in others] == [(1, 1), (1, 1)]
