"""What a network must take and give to be used."""

from __future__ import annotations

import pytest

from imagemill_contract.errors import ModelError
from imagemill_contract.network.shapes import InputShape, check_output, input_shape
from imagemill_contract.recipe import ModelOutput
from imagemill_contract.recipe_parts.preprocessing import Channels, Layout, Preprocessing
from imagemill_worker.model.network import open_network
from tests.helpers.networks import network
from tests.helpers.pictures import recipe

ANY = Preprocessing()


@pytest.mark.parametrize(
    ("declared", "preprocessing", "shape"),
    [
        (["n", 3, 24, 30], ANY, InputShape(32, False, 24, 30, Layout.NCHW)),
        ([4, 24, 30, 3], ANY, InputShape(4, True, 24, 30, Layout.NHWC)),
        (["n", 3, "h", "w"], Preprocessing(9, 8), InputShape(32, False, 8, 9, Layout.NCHW)),
        (["n", 3, 24, 3], ANY, InputShape(32, False, 24, 3, Layout.NCHW)),
        (
            ["n", 24, 30, 1],
            Preprocessing(channels=Channels.GREY),
            InputShape(32, False, 24, 30, Layout.NHWC),
        ),
        (
            ["n", "a", "b", "c"],
            Preprocessing(9, 8, Layout.NHWC),
            InputShape(32, False, 8, 9, Layout.NHWC),
        ),
    ],
)
def test_shape_is_what_the_network_says_or_else_what_is_declared(
    declared: list[object], preprocessing: Preprocessing, shape: InputShape
) -> None:
    assert input_shape(declared, preprocessing) == shape


@pytest.mark.parametrize(
    ("declared", "preprocessing", "sentence"),
    [
        (["n", 768], ANY, "The model's input has 2 axes; pictures have 4."),
        (
            ["n", 1, 24, 24],
            ANY,
            "The model takes 1 channels in layout nchw, but rgb are 3.",
        ),
        (
            ["n", 3, 24, 24],
            Preprocessing(channels=Channels.GREY),
            "The model takes 3 channels in layout nchw, but grey are 1.",
        ),
        (
            ["n", 3, 24, 24],
            Preprocessing(height=25),
            "model_preprocessing.height is 25, but the model's",
        ),
        (
            ["n", 3, 24, "w"],
            ANY,
            "The model takes any width; model_preprocessing.width must say which.",
        ),
    ],
)
def test_network_that_takes_something_else_is_refused(
    declared: list[object], preprocessing: Preprocessing, sentence: str
) -> None:
    with pytest.raises(ModelError) as caught:
        input_shape(declared, preprocessing)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("shape", "output", "count"),
    [
        ((4, 512), ModelOutput.VECTOR, 4),
        (("n", 8, 1, 1), ModelOutput.VECTOR, None),
        ((4,), ModelOutput.SCORES, 4),
        ((4, 24, 24), ModelOutput.IMAGE, 4),
        ((4, 3, 24, 24), ModelOutput.IMAGE, 4),
        ((4, 24, 24, 1), ModelOutput.IMAGE, 4),
        (("n", "c", "h", "w"), ModelOutput.IMAGE, None),
    ],
)
def test_output_that_can_be_what_is_asked_for_is_taken(
    shape: tuple[object, ...], output: ModelOutput, count: int | None
) -> None:
    check_output(shape, output, count)


@pytest.mark.parametrize(
    ("shape", "output", "count"),
    [
        ((4,), ModelOutput.VECTOR, 4),
        ((3, 512), ModelOutput.VECTOR, 4),
        ((4, 5, 6), ModelOutput.SCORES, 4),
        ((4, 512), ModelOutput.IMAGE, 4),
        ((4, 8, 24, 24), ModelOutput.IMAGE, 4),
    ],
)
def test_output_of_another_shape_is_refused(
    shape: tuple[object, ...], output: ModelOutput, count: int
) -> None:
    with pytest.raises(ModelError):
        check_output(shape, output, count)


def test_what_the_metadata_say_counts_unless_something_is_declared() -> None:
    metadata = {
        "imagemill.preprocessing": {"channels": "bgr", "mean": [1, 2, 3]},
        "imagemill.labels": ["a", "b", "c"],
    }
    body = network("scores", metadata=metadata)
    scores = {"model": "s3://bucket/model.onnx", "model_output": "scores"}
    found = open_network(body, recipe(**scores), gpu=False, threads=1).use
    assert found.preprocessing == Preprocessing(channels=Channels.BGR, mean=(1.0, 2.0, 3.0))
    assert [*found.labels] == ["a", "b", "c"]
    named = recipe(**scores, model_labels=["x", "y", "z"])
    assert [*open_network(body, named, gpu=False, threads=1).use.labels] == ["x", "y", "z"]
    other = recipe(**scores, model_preprocessing={"width": 24})
    declared = open_network(body, other, gpu=False, threads=1)
    assert declared.use.preprocessing == Preprocessing(width=24)


@pytest.mark.parametrize(
    "metadata",
    [
        {"imagemill.preprocessing": {"sharpen": 3}},
        {"imagemill.preprocessing": {"mean": [1, 2]}},
        {"imagemill.preprocessing": {"channels": "grey", "std": [1, 2, 3]}},
        {"imagemill.labels": {"a": 1}},
        {"imagemill.labels": [1]},
    ],
)
def test_metadata_that_cannot_be_read_are_refused(metadata: dict[str, object]) -> None:
    body = network("scores", metadata=metadata)
    with pytest.raises(ModelError, match=r"imagemill\.(preprocessing|labels)"):
        open_network(
            body, recipe(model="s3://bucket/model", model_output="scores"), gpu=False, threads=1
        )
