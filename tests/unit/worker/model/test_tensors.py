"""From pictures to a network's input, and from its output to files."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from imagemill_contract.errors import ModelError
from imagemill_contract.network.shapes import InputShape
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.preprocessing import Channels, Layout, Preprocessing, Range
from imagemill_worker.errors import PictureError
from imagemill_worker.model.products import picture_file, scores_file, scores_of, vector_file
from imagemill_worker.model.tensors import batch_of, decoded
from tests.helpers.pictures import HEIGHT, WIDTH, file_of, photograph

OWN_SIZE = InputShape(32, False, HEIGHT, WIDTH, Layout.NCHW)
PIXELS = np.asarray(photograph())


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [
        (Channels.RGB, PIXELS),
        (Channels.BGR, PIXELS[:, :, ::-1]),
    ],
)
def test_pixels_of_the_right_size_are_taken_as_they_are(
    channels: Channels, wanted: np.ndarray
) -> None:
    found = decoded(file_of(photograph(), "PNG"), OWN_SIZE, Preprocessing(channels=channels))
    assert np.array_equal(found, wanted)


def test_grey_has_one_channel() -> None:
    grey = photograph().convert("L")
    found = decoded(file_of(grey, "PNG"), OWN_SIZE, Preprocessing(channels=Channels.GREY))
    assert np.array_equal(found, np.asarray(grey)[:, :, None])


@pytest.mark.parametrize("sides", [(20, 40), (400, 300)])
def test_other_pictures_are_resized(sides: tuple[int, int]) -> None:
    shape = InputShape(32, False, *sides, Layout.NCHW)
    assert decoded(file_of(photograph(), "PNG"), shape, Preprocessing()).shape == (*sides, 3)


def test_what_is_no_picture_is_corrupt() -> None:
    with pytest.raises(PictureError) as caught:
        decoded(b"no picture", OWN_SIZE, Preprocessing())
    assert caught.value.reason is Reason.CORRUPT


@pytest.mark.parametrize("layout", Layout)
def test_input_is_pixels_in_their_range_less_mean_by_std(layout: Layout) -> None:
    shape = InputShape(5, True, HEIGHT, WIDTH, layout)
    preprocessing = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    batch = batch_of([PIXELS, None, PIXELS], shape, preprocessing)
    if layout is Layout.NCHW:
        batch = batch.transpose(0, 2, 3, 1)
    assert (batch.shape, batch.dtype) == ((5, HEIGHT, WIDTH, 3), np.dtype(np.float32))
    wanted = (PIXELS / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.6, 0.7]
    for place in (0, 2):
        assert np.abs(batch[place] - wanted).max() < 1e-5
    nothing = (np.zeros(3) - [0.1, 0.2, 0.3]) / [0.5, 0.6, 0.7]
    for place in (1, 3, 4):
        assert np.abs(batch[place] - nothing).max() < 1e-5


def test_range_byte_leaves_pixels_as_they_are() -> None:
    batch = batch_of([PIXELS], OWN_SIZE, Preprocessing(range=Range.BYTE))
    assert np.array_equal(batch[0].transpose(1, 2, 0), PIXELS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_vector_that_float16_cannot_hold_is_not_finite(value: float) -> None:
    with pytest.raises(PictureError) as caught:
        vector_file(np.array([[1.0, value]], np.float32))
    assert caught.value.reason is Reason.NOT_FINITE


def test_vector_is_flat() -> None:
    vector = np.load(io.BytesIO(vector_file(np.ones((8, 1, 1), np.float32))))
    assert (vector.shape, vector.dtype) == ((8,), np.dtype(np.float16))


def test_scores_without_labels_are_a_list_and_one_is_a_number() -> None:
    assert json.loads(scores_file(scores_of(np.array([0.25, 0.75]), []))) == {
        "scores": [0.25, 0.75]
    }
    assert json.loads(scores_file(scores_of(np.array([0.5]), []))) == {
        "score": 0.5,
        "scores": [0.5],
    }


def test_labels_must_be_as_many_as_scores() -> None:
    with pytest.raises(ModelError, match="gives 2 scores, but has 1 labels"):
        scores_file(scores_of(np.array([0.25, 0.75]), ["cat"]))


def test_scores_that_are_no_numbers_reject_the_picture() -> None:
    with pytest.raises(PictureError):
        scores_file(scores_of(np.array([0.25, np.nan]), []))


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
def test_picture_keeps_its_colours(last: bool) -> None:
    values = PIXELS / 255 if last else PIXELS.transpose(2, 0, 1) / 255
    with Image.open(io.BytesIO(picture_file(values, Range.UNIT))) as image:
        assert np.array_equal(np.asarray(image), PIXELS)


def test_picture_of_one_channel_is_grey_and_cut_at_white() -> None:
    values = np.array([[[-3.0, 20.4], [260.0, 255.0]]])
    with Image.open(io.BytesIO(picture_file(values, Range.BYTE))) as image:
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 20], [255, 255]]
