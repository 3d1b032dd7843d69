"""Runs with a neural network on the deployed stack: the chain's pixels, and bad models."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from imagemill.errors import RunFailedError
from imagemill.local_stack import LocalStack
from tests.helpers.networks import network
from tests.helpers.photographs import cut, write_pictures
from tests.helpers.runs import ended, run_folder, start

pytestmark = pytest.mark.engine
COUNT = 40  # a whole batch of 32 and one that is not


def test_vectors_of_a_bucket_are_those_of_onnx_runtime_on_the_same_pixels(
    stack: LocalStack,
) -> None:
    s3, body = stack.client("s3"), network("vector", shape=("batch", 3, 32, 32))
    s3.put_object(Bucket=stack.input_bucket, Key="models/vector.onnx", Body=body)
    for index in range(COUNT):
        key = f"model/{index:02}.jpg"
        s3.put_object(Bucket=stack.input_bucket, Key=key, Body=cut(index))
    model = f"s3://{stack.input_bucket}/models/vector.onnx"
    document: dict[str, Any] = {
        "source": f"s3://{stack.input_bucket}/model/",
        "recipe": {"size": 32, "model": model},
    }
    first = ended(start(stack, document)).result()
    assert {stage: row["written"] for stage, row in first["stages"].items()} == {
        **{"resize": COUNT, "model": COUNT, "edge": COUNT}
    }

    def body_of(key: str) -> bytes:
        found: bytes = s3.get_object(Bucket=stack.output_bucket, Key=key)["Body"].read()
        return found

    session = onnxruntime.InferenceSession(body)
    for index in range(COUNT):
        vector = np.load(io.BytesIO(body_of(f"model_output/{index:02}.jpg.npy")))
        with Image.open(io.BytesIO(body_of(f"resized/{index:02}.jpg"))) as image:
            pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
        (wanted,) = session.run(None, {"picture": pixels})
        assert vector.dtype == np.float16
        assert np.abs(vector - wanted[0]).max() < 1e-3

    assert "Nothing to do" in ended(start(stack, document)).result()["sentence"]
    s3.put_object(Bucket=stack.input_bucket, Key="models/vector.onnx", Body=network("scores"))
    document["dry_run"] = True
    assert ended(start(stack, document)).result()["to_do"] == {"model changed": COUNT}


def test_scores_and_pictures_of_a_folder(stack: LocalStack, tmp_path: Path) -> None:
    photos, model = tmp_path / "photos", tmp_path / "model.onnx"
    names = write_pictures(photos, 3)
    labels = ["cat", "dog", "neither"]
    for output, suffix in (("scores", ".json"), ("image", ".png")):
        model.write_bytes(network(output, metadata={"imagemill.labels": labels}))
        out = tmp_path / output
        recipe = {"model": model.as_uri(), "model_output": output}
        assert run_folder(stack, photos, out, recipe)["stages"]["model"]["written"] == 3
        found = {path.name: path for path in (out / "model_output").iterdir()}
        assert set(found) == {f"{name}{suffix}" for name in names}
        first = found[f"{names[0]}{suffix}"]
        if output == "scores":
            assert set(json.loads(first.read_text())["scores"]) == set(labels)
        else:
            with Image.open(first) as image:
                assert (image.mode, image.size) == ("L", (24, 24))
        (page,) = out.glob("runs/*/report.html")
        assert ('alt="model"' in page.read_text()) == (output == "image")


def test_a_run_without_edges_has_one_job_for_a_shard(stack: LocalStack, tmp_path: Path) -> None:
    write_pictures(tmp_path / "photos", 3)
    ended_run = run_folder(stack, tmp_path / "photos", tmp_path / "out", {"edge": "none"})
    assert ended_run["sentence"] == "3 of 3 pictures resized, 0 rejected."
    assert not (tmp_path / "out" / "edges").exists()


def test_a_model_that_only_its_job_can_refuse_fails_its_pictures_with_the_sentence(
    stack: LocalStack, tmp_path: Path
) -> None:
    photos, model = tmp_path / "photos", tmp_path / "model.onnx"
    write_pictures(photos, 2)
    model.write_bytes(network("vector").replace(b"GlobalAveragePool", b"GlobalAveragePuul"))
    recipe = {"model": model.as_uri()}
    with pytest.raises(RunFailedError, match="0 failed in resize, 2 in model and 0 in edge"):
        run_folder(stack, photos, tmp_path / "out", recipe)
    (path,) = (tmp_path / "out").glob("runs/*/report.json")
    report = json.loads(path.read_text())
    assert {row["stage"] for row in report["failed"]} == {"model"}
    assert "The model is no ONNX file that can be run" in report["failed"][0]["detail"]
    assert report["stages"]["edge"]["skipped"] == 2
