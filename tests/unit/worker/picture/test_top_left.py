"""`anchor: top_left` is the data set of 2017, bit for bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.file_kind import kind_of
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.top_left import top_left_square
from imagemill_worker.stages.picture_stages import product_of
from tests.helpers.picture_files import OTHER_FILES
from tests.helpers.pictures import file_of, jpeg, photograph, recipe

SHAPES = [(1001, 743), (743, 1001), (60, 90), (128, 200), (300, 300), (129, 2000), (1, 3)]


def decoded(body: bytes, how: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(body, np.uint8), how)
    assert image is not None
    return np.asarray(image)


def square_of_2017(body: bytes) -> np.ndarray:
    """BGR, as the program of then made it."""
    image = decoded(body, cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    short = min(height, width)
    size = (-(-width * 128 // short), -(-height * 128 // short))
    method = cv2.INTER_AREA if short > 128 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method)[:128, :128])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_square_is_that_of_2017(shape: tuple[int, int], kind: str) -> None:
    body = file_of(photograph().resize(shape), kind)
    square = top_left_square(body, kind_of(body), 128)
    assert np.array_equal(square, square_of_2017(body)[:, :, ::-1])
    assert np.array_equal(top_left_square(memoryview(body), kind_of(body), 128), square)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_stages_write_the_square_and_the_line_art_of_2017(
    shape: tuple[int, int], kind: str
) -> None:
    source = file_of(photograph().resize(shape), kind)
    square = square_of_2017(source)
    wanted = recipe(anchor="top_left", format="png", edge="line_art", edge_three_channels=True)
    small = product_of(Stage.RESIZE, source, wanted)
    assert np.array_equal(decoded(small.body, cv2.IMREAD_COLOR), square)
    brightest = cv2.dilate(square, np.ones((3, 3), np.uint8))
    lines = cv2.cvtColor(255 - cv2.absdiff(square, brightest), cv2.COLOR_BGR2GRAY)
    edges = product_of(Stage.EDGE, small.body, wanted)
    got = decoded(edges.body, cv2.IMREAD_UNCHANGED)
    assert got.shape == (128, 128, 3)
    assert np.array_equal(got, np.dstack([lines] * 3))


@pytest.mark.parametrize("size", [1, 7, 300])
def test_result_is_a_square_of_any_size(size: int) -> None:
    assert top_left_square(jpeg(), kind_of(jpeg()), size).shape == (size, size, 3)


@pytest.mark.parametrize("name", ["jpeg xl", "ico"])
def test_kind_that_opencv_cannot_read_is_named(name: str) -> None:
    body = OTHER_FILES[name]()
    kind = kind_of(body)
    with pytest.raises(PictureError) as caught:
        top_left_square(body, kind, 128)
    assert caught.value.reason is Reason.UNSUPPORTED_FORMAT
    assert str(kind) in caught.value.detail
