"""Runs with a neural network on the deployed stack: the chain's pixels, and bad models."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from arro3.io import read_parquet
from numpy.typing import NDArray
from PIL import Image

from imagemill.errors import RunFailedError
from imagemill.local_stack import LocalStack
from imagemill_contract.keys import DATASET_CARD
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import vector_in
from tests.helpers.dataset_samples import samples_in as read_samples
from tests.helpers.networks import network
from tests.helpers.photographs import cut, write_pictures
from tests.helpers.runs import ended, run_folder, start

pytestmark = pytest.mark.engine
LABELS = ["zebra", "dog", "neither"]
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
    for output, suffix in (("scores", ".json"), ("image", ".png")):
        model.write_bytes(network(output, metadata={"imagemill.labels": LABELS}))
        out = tmp_path / output
        recipe = {"model": model.as_uri(), "model_output": output}
        assert run_folder(stack, photos, out, recipe)["stages"]["model"]["written"] == 3
        found = {path.name: path for path in (out / "model_output").iterdir()}
        assert set(found) == {f"{name}{suffix}" for name in names}
        first = found[f"{names[0]}{suffix}"]
        if output == "scores":
            assert set(json.loads(first.read_text())["scores"]) == set(LABELS)
        else:
            with Image.open(first) as image:
                assert (image.mode, image.size) == ("L", (24, 24))
        (page,) = out.glob("runs/*/report.html")
        assert ('alt="model"' in page.read_text()) == (output == "image")


def samples_in(out: Path) -> list[Sample]:
    """Those of a packed dataset."""
    card = json.loads((out / DATASET_CARD).read_bytes())
    bodies = ((out / shard["key"]).read_bytes() for shard in card["shards"])
    return [item for body in bodies for item in read_samples(card["format"], body)]


def table_in(out: Path) -> list[dict[str, Any]]:
    """The table of all pictures."""
    (path,) = (out / "dataset/index.parquet").iterdir()
    rows: Any = read_parquet(path).read_all().to_struct_array()
    return list(rows.to_pylist())


def by_hand(network_body: bytes, sample: Sample) -> NDArray[np.float32]:
    """What ONNX Runtime gives for the picture of a sample, alone."""
    with Image.open(io.BytesIO(sample.image)) as image:
        pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
    (found,) = onnxruntime.InferenceSession(network_body).run(None, {"picture": pixels})
    return np.asarray(found[0])


@pytest.mark.parametrize(
    ("output", "kind"), [("parquet", "vector"), ("webdataset", "scores"), ("tfrecord", "image")]
)
def test_what_a_model_gives_is_packed_with_the_picture(
    stack: LocalStack, tmp_path: Path, output: str, kind: str
) -> None:
    photos, out, model = tmp_path / "photos", tmp_path / "out", tmp_path / "model.onnx"
    write_pictures(photos, 5)
    body = network(kind, shape=("batch", 3, 32, 32), metadata={"imagemill.labels": LABELS})
    model.write_bytes(body)
    recipe = {"model": model.as_uri(), "model_output": kind, "output": output, "size": 32}
    if kind == "scores":
        recipe |= {"keep_if": "scores['dog'] > 0.43"}
    written = run_folder(stack, photos, out, recipe)["stages"]["model"]["written"]
    samples = samples_in(out)
    assert len(samples) == written
    rows = table_in(out)
    if kind == "scores":  # what the table says of a picture is what was asked of it
        assert 0 < written < 5
        kept = {row["source_key"] for row in rows if json.loads(row["scores"])["dog"] > 0.43}
        assert kept == {sample.filename for sample in samples}
        assert {row["source_key"] for row in rows if row["reason"] != "not_kept"} == kept
    else:
        assert written == 5
    for sample in samples:
        wanted, given = by_hand(body, sample), dict[str, Any](sample.columns)
        if kind == "vector":
            assert np.abs(vector_in(given["vector"]) - wanted).max() < 1e-3
        elif kind == "scores":
            assert given["scores"] == pytest.approx(
                dict(zip(LABELS, wanted.tolist(), strict=True)), abs=1e-3
            )
        else:
            with Image.open(io.BytesIO(given["model"])) as image:
                assert np.abs(np.asarray(image) / 255 - wanted[0]).max() < 0.5 / 255 + 1e-3
    assert not list((out / "intermediate").rglob("*.tar"))
    (page,) = out.glob("runs/*/report.html")
    assert ('alt="model"' in page.read_text()) == (kind == "image")
    readme = (out / "dataset/README.md").read_text()
    assert hashlib.sha256(body).hexdigest() in readme


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
