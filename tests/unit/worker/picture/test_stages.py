"""The two ends of a stage: what 2017 did, which edges are found, and which bytes are written."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from imagemill_contract.keys import Stage
from imagemill_contract.recipe import EdgeMethod, ImageFormat
from imagemill_worker.codecs.encode import encoded
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.edges import edges_of
from imagemill_worker.picture.stages import product_of
from tests.helpers.pictures import decibels, file_of, jpeg, photograph, recipe


def decoded(body: bytes, how: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(body, np.uint8), how)
    assert image is not None
    return np.asarray(image)


@pytest.mark.parametrize("shape", [(1001, 743), (743, 1001), (60, 90), (128, 200), (300, 300)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_top_left_is_the_data_set_of_2017_bit_for_bit(shape: tuple[int, int], kind: str) -> None:
    source = file_of(photograph().resize(shape), kind)
    image = decoded(source, cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    short = min(height, width)
    size = (-(-width * 128 // short), -(-height * 128 // short))
    method = cv2.INTER_AREA if short > 128 else cv2.INTER_CUBIC
    square = cv2.resize(image, size, interpolation=method)[:128, :128]
    wanted = recipe(anchor="top_left", format="png", edge="line_art", edge_three_channels=True)
    small = product_of(Stage.RESIZE, source, wanted)
    got = decoded(small.body, cv2.IMREAD_COLOR)
    assert np.array_equal(got, square)
    brightest = cv2.dilate(square, np.ones((3, 3), np.uint8))
    lines = cv2.cvtColor(255 - cv2.absdiff(square, brightest), cv2.COLOR_BGR2GRAY)
    edges = product_of(Stage.EDGE, small.body, wanted)
    got = decoded(edges.body, cv2.IMREAD_UNCHANGED)
    assert got.shape == (128, 128, 3)
    assert np.array_equal(got, np.dstack([lines] * 3))


@pytest.mark.parametrize("method", EdgeMethod)
def test_edges_lie_where_the_picture_changes(method: EdgeMethod) -> None:
    grey = np.zeros((40, 40), np.uint8)
    grey[:, 20:] = 200
    edges = edges_of(np.dstack([grey] * 3) if method is EdgeMethod.LINE_ART else grey, method)
    assert (edges.shape, edges.dtype) == (grey.shape, np.dtype(np.uint8))
    background = 255 if method is EdgeMethod.LINE_ART else 0
    assert (edges[:, :17] == background).all()
    assert (edges[:, 23:] == background).all()
    assert (edges[:, 18:22] != background).any(axis=1).all()


def test_edges_of_a_file_that_is_no_picture_are_rejected() -> None:
    with pytest.raises(PictureError):
        product_of(Stage.EDGE, b"no picture", recipe())


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("grey", [True, False])
def test_files_decode_to_what_was_encoded(image_format: ImageFormat, grey: bool) -> None:
    image = np.asarray(photograph().convert("L") if grey else photograph())
    body = encoded(image, image_format, 95)
    assert body == encoded(image, image_format, 95)
    with Image.open(io.BytesIO(body)) as result:
        kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[image_format]
        assert result.format == kind
        if image_format is not ImageFormat.WEBP:
            assert result.mode == ("L" if grey else "RGB")
        assert decibels(np.asarray(result.convert("L" if grey else "RGB")), image) > 32


def test_quality_decides_the_size_of_a_file() -> None:
    image = np.asarray(photograph())
    for image_format in (ImageFormat.JPG, ImageFormat.WEBP):
        lengths = [len(encoded(image, image_format, quality)) for quality in (10, 60, 95)]
        assert lengths == sorted(lengths)
        assert lengths[0] < lengths[2] / 2


def test_edges_are_a_png_of_one_channel_or_three() -> None:
    small = product_of(Stage.RESIZE, jpeg(), recipe()).body
    for three, mode in ((False, "L"), (True, "RGB")):
        product = product_of(Stage.EDGE, small, recipe(edge_three_channels=three))
        with Image.open(io.BytesIO(product.body)) as image:
            assert (image.format, image.mode, image.size) == ("PNG", mode, (128, 128))
