"""Every format that is read, written by one library and judged by another."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from imagemill_worker.picture.resize import resized
from tests.helpers.picture_files import (
    JPEG_FILES,
    OTHER_FILES,
    by_opencv,
    several,
)
from tests.helpers.pictures import (
    decibels,
    expected,
    file_of,
    jpeg,
    photograph,
    recipe,
    swapped_colours_profile,
    with_alpha,
)

ALIKE_DECIBELS = 28  # bicubic, here from a scaled decode, against Lanczos of the full one


@pytest.mark.parametrize("name", [*JPEG_FILES, *OTHER_FILES])
def test_a_file_of_this_kind_looks_as_pillow_shows_it(name: str) -> None:
    body = (JPEG_FILES | OTHER_FILES)[name]()
    assert decibels(resized(body, recipe()), expected(body)) > ALIKE_DECIBELS


@pytest.mark.parametrize("name", JPEG_FILES)
@pytest.mark.parametrize("side", [24, 60, 200])
def test_a_scaled_decode_looks_as_the_full_one(name: str, side: int) -> None:
    body = JPEG_FILES[name]()
    # the pure colours of the corners end between two samples of a subsampled file
    assert decibels(resized(body, recipe(size=side)), expected(body, side)) > 26


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16)
    body = by_opencv(".png", np.repeat(ramp[None, :], 256, axis=0))
    row = resized(body, recipe(mode="no", keep_grey=True))[0]
    assert np.abs(row.astype(int) - np.arange(256)).max() <= 1


def test_sixteen_bit_transparency_is_transparent() -> None:
    samples = np.full((8, 8), 1000, np.uint16)
    samples[:4] = 50_000
    body = file_of(Image.fromarray(samples), "PNG", transparency=1000)
    image = resized(body, recipe(mode="no", background="#ffffff"))
    assert image[7, 0].tolist() == [255, 255, 255]
    assert image[0, 0].tolist() == [195, 195, 195]


def test_a_large_picture_in_strips_is_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagemill_worker.codecs import decode

    bodies = [file_of(with_alpha(), "PNG"), file_of(photograph().quantize(16), "PNG")]
    at_once = [resized(body, recipe(size=20)) for body in bodies]
    monkeypatch.setattr(decode, "_STRIP_PIXELS", 2000)
    in_strips = [resized(body, recipe(size=20)) for body in bodies]
    assert all(map(np.array_equal, at_once, in_strips))


def test_alpha_shows_the_background_of_the_recipe() -> None:
    body = file_of(Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG")
    image = resized(body, recipe(size=8, background="#00ff80"))
    assert (image == (0, 255, 128)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_grey_becomes_three_channels_or_stays_one(kind: str) -> None:
    source = photograph().convert("L")
    body = file_of(source, kind)
    three = resized(body, recipe(size=16))
    assert three.shape == (16, 16, 3)
    assert np.abs(np.ptp(three.astype(int), axis=2)).max() <= 1
    one = resized(body, recipe(size=16, keep_grey=True))
    if kind != "WEBP":  # which has no grey
        assert one.shape == (16, 16)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_icc_profile_is_converted_to_srgb(kind: str) -> None:
    body = file_of(photograph(), kind, icc_profile=swapped_colours_profile())
    assert decibels(resized(body, recipe()), expected(body)) > ALIKE_DECIBELS
    plain = file_of(photograph(), kind)
    assert decibels(resized(body, recipe(to_srgb=False)), expected(plain)) > ALIKE_DECIBELS
    assert decibels(resized(body, recipe()), expected(plain)) < 20


def test_an_srgb_profile_changes_nothing_and_a_broken_one_neither() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = resized(jpeg(), recipe())
    assert np.array_equal(plain, resized(jpeg(icc_profile=srgb), recipe()))
    assert np.array_equal(plain, resized(jpeg(icc_profile=b"no profile"), recipe()))


def test_only_the_first_frame_is_used() -> None:
    body = several("GIF")
    with Image.open(io.BytesIO(body)) as image:
        assert getattr(image, "n_frames") == 2  # noqa: B009 # of this kind of image alone
    assert decibels(resized(body, recipe()), expected(file_of(photograph(), "PNG"))) > 25
