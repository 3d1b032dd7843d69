"""Pictures stand upright, whatever way the camera was held and wherever it is written."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from imagemill_worker.codecs import exif
from imagemill_worker.picture.orientation import upright
from imagemill_worker.picture.resize import resized
from tests.helpers.pictures import decibels, expected, file_of, jpeg, photograph, recipe

ORIENTATIONS = range(1, 9)


def exif_of(orientation: int, order: str = ">") -> bytes:
    mark = b"MM" if order == ">" else b"II"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + struct.pack(order + "I", 0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF", "AVIF"])
def test_a_turned_picture_stands_upright(kind: str, orientation: int) -> None:
    options = {"quality": 92} if kind in ("JPEG", "WEBP", "AVIF") else {}
    data = Image.Exif()
    data[exif.ORIENTATION] = orientation
    body = file_of(photograph(), kind, exif=data, **options)
    for fields in ({}, {"mode": "keep_ratio", "size": 60}, {"mode": "no"}):
        image = resized(body, recipe(**fields))
        whole = ImageOps.exif_transpose(Image.open(__import__("io").BytesIO(body))).convert("RGB")
        size = (image.shape[1], image.shape[0])
        wanted = np.asarray(ImageOps.fit(whole, size, Image.Resampling.LANCZOS))
        assert decibels(image, wanted) > 30


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("colour", [True, False])
def test_upright_is_what_pillow_does(orientation: int, colour: bool) -> None:
    image = photograph() if colour else photograph().convert("L")
    image.getexif()[exif.ORIENTATION] = orientation
    turned = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(upright(np.asarray(image), orientation), turned)


def test_webp_with_the_prefix_of_jpeg_in_its_exif_stands_upright() -> None:
    body = file_of(photograph(), "WEBP", exif=b"Exif\0\0" + exif_of(6), quality=92)
    assert b"EXIF" in body
    assert decibels(resized(body, recipe()), expected(body)) > 32


def test_an_exif_chunk_behind_the_pixels_of_a_png_counts() -> None:
    body = file_of(photograph(), "PNG", exif=exif_of(6))
    at = body.index(b"eXIf") - 4
    length = 12 + int.from_bytes(body[at : at + 4])
    moved = body[:at] + body[at + length : -12] + body[at : at + length] + body[-12:]
    assert np.array_equal(resized(moved, recipe()), resized(body, recipe()))


def test_xmp_counts_where_there_is_no_exif() -> None:
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    body = jpeg(xmp=packet)
    assert decibels(resized(body, recipe()), expected(body)) > 32
    assert resized(body, recipe(mode="no")).shape[:2] == (250, 190)
