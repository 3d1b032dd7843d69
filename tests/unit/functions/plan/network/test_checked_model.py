"""A model is checked before any job: what it says of itself, and the sentences for bad ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import onnxruntime
import pytest

from imagemill_app.plan.network import checked_model
from imagemill_app.plan.network.checked_model import with_digest
from imagemill_app.plan.network.onnx_head import described
from imagemill_app.refusal import RunRefused
from imagemill_contract.recipe import Recipe
from tests.helpers.networks import network
from tests.helpers.pictures import recipe


def recipe_with(folder: Path, body: bytes, **fields: object) -> Recipe:
    path = folder / "model.onnx"
    path.write_bytes(body)
    return recipe(model=path.as_uri(), **fields)


def with_weights_as_inputs(body: bytes) -> bytes:
    """As older files have it: each weight is an input with a default."""
    model = onnx.ModelProto.FromString(body)
    for weight in model.graph.initializer:
        model.graph.input.add(name=weight.name)
    return bytes(model.SerializeToString())


def with_weights_elsewhere(body: bytes) -> bytes:
    model = onnx.ModelProto.FromString(body)
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    return bytes(model.SerializeToString())


def taking(kind: int, body: bytes) -> bytes:
    model = onnx.ModelProto.FromString(body)
    model.graph.input[0].type.tensor_type.elem_type = kind
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "keep_if", ["", "scores[0] > 0.5", "scores[0] > 0.5 and not scores[2] > 1"]
)
def test_what_can_be_asked_of_scores_is_taken(tmp_path: Path, keep_if: str) -> None:
    for shape in (("n", 3, 24, 24), (7, 3, 24, 24)):
        body = network("scores", shape=shape)
        assert with_digest(recipe_with(tmp_path, body, model_output="scores", keep_if=keep_if))


@pytest.mark.parametrize("kind", ["vector", "scores", "image"])
@pytest.mark.parametrize("shape", [("batch", 3, 24, 24), (7, 3, 24, 24), ("n", 3, "h", "w")])
def test_the_head_of_a_file_says_what_onnx_runtime_says(
    kind: str, shape: tuple[str | int, ...]
) -> None:
    body = network(kind, shape=shape, metadata={"imagemill.labels": ["a", "b", "c"]})
    session = onnxruntime.InferenceSession(body)
    for item in (body, with_weights_as_inputs(body)):
        found = described(item)
        ((name, tensor),) = found.inputs.items()
        (taken,) = session.get_inputs()
        assert (name, tensor.kind, tensor.axes) == (taken.name, taken.type, taken.shape)
        ((name, tensor),) = found.outputs.items()
        (given,) = session.get_outputs()
        assert (name, tensor.kind, len(tensor.axes)) == (given.name, given.type, len(given.shape))
        assert found.metadata == session.get_modelmeta().custom_metadata_map


def test_recipe_gets_the_digest_of_its_model(tmp_path: Path) -> None:
    body = network("vector")
    asked = recipe_with(tmp_path, body)
    found = with_digest(asked)
    assert found.model_sha256 == hashlib.sha256(body).hexdigest()
    assert found.model_labels == ()
    assert with_digest(found) == found
    assert with_digest(recipe()) == recipe()


def test_recipe_gets_the_names_of_scores_unless_it_says_them(tmp_path: Path) -> None:
    body = network("scores", metadata={"imagemill.labels": ["cat", "dog", "neither"]})
    found = with_digest(recipe_with(tmp_path, body, model_output="scores"))
    assert found.model_labels == ("cat", "dog", "neither")
    assert with_digest(found) == found
    named = recipe_with(tmp_path, body, model_output="scores", model_labels=["x", "y", "z"])
    assert with_digest(named).model_labels == ("x", "y", "z")


@pytest.mark.parametrize(
    ("body", "fields", "sentence"),
    [
        (
            network("scores", metadata={"imagemill.labels": ["cat", "cat", "dog"]}),
            {"model_output": "scores"},
            "the model's imagemill.labels must be a list of different names, of 64,000 bytes at",
        ),
        (
            network("scores"),
            {"model_output": "scores", "model_labels": ["cat", "dog"]},
            "The model gives 3 scores, but has 2 labels.",
        ),
        (b"no model", {}, "recipe.model: it is no ONNX file."),
        (b"", {}, "recipe.model: it is no ONNX file."),
        (network("vector")[:200], {}, "recipe.model: it is no ONNX file."),
        (with_weights_elsewhere(network("vector")), {}, "its weights are in another file"),
        (network("vector"), {"model_output": "image"}, "a batch of image has 3 or 4"),
        (network("vector", shape=("n", 4, 9, 9)), {}, "takes 4 channels in layout nchw, but rgb"),
        (network("vector", shape=("n", 3, "h", "w")), {}, "model_preprocessing.height must say"),
        (
            taking(10, network("vector")),
            {},
            "takes a tensor(float16); it must",
        ),
        (
            network("vector"),
            {"model_preprocessing": {"output": "x"}},
            "The model has no output 'x'; it has result.",
        ),
        (network("vector"), {"model_sha256": "0" * 64}, "so it is another one."),
        (
            network("scores", metadata={"imagemill.labels": ["a", "b"]}),
            {"model_output": "scores"},
            "The model gives 3 scores, but has 2 labels.",
        ),
        *(
            (
                network("scores", metadata={"imagemill.labels": ["cat", "dog", "neither"]}),
                {"model_output": "scores", "keep_if": keep_if},
                f"recipe.keep_if: {keep_if} cannot be evaluated: {why}",
            )
            for keep_if, why in {
                "score > 0.5": "'score' is not defined",
                'scores["bird"] > 0.5': "there is no 'bird'.",
                "scores >": "invalid syntax",
                '__import__("os")': "Function '__import__' not defined",
                "9 ** 9 ** 9 > 1": "Sorry! I don't want to evaluate",
                "predicted > 0.5": "'>' not supported",
            }.items()
        ),
        (
            network("vector", metadata={"imagemill.preprocessing": {"sharpen": 3}}),
            {},
            'imagemill.preprocessing: unknown field "sharpen"',
        ),
    ],
)
def test_model_that_cannot_be_used_is_refused_with_one_sentence(
    tmp_path: Path, body: bytes, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(RunRefused) as refused:
        with_digest(recipe_with(tmp_path, body, **fields))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_model_that_is_not_there_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe(model=(tmp_path / "none.onnx").as_uri())
    with pytest.raises(RunRefused, match=r"recipe\.model: there is no file:///.*none\.onnx\."):
        with_digest(asked)
    monkeypatch.setattr(checked_model, "MAX_MODEL_BYTES", 1000)
    with pytest.raises(RunRefused, match=r"at most 1,000 are allowed"):
        with_digest(recipe_with(tmp_path, network("vector")))
