"""What a model gives, packed, and read by the code of the dataset's own card."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagemill_contract.keys import DATASET_CARD
from imagemill_contract.recipe import ModelOutput, Output
from imagemill_worker.dataset.formats.vector_file import vector_in
from tests.helpers.dataset_samples import samples_in
from tests.helpers.networks import network
from tests.helpers.photographs import write_pictures
from tests.helpers.readers import printed_by, run

pytestmark = [pytest.mark.readers, pytest.mark.timeout(600)]

LABELS = ["zebra", "a dog", "neither"]  # not in the order of the alphabet
NUMBERS = {"vector", "scores"}
READERS = {
    (Output.PARQUET, "huggingface"): "huggingface",
    (Output.WEBDATASET, "pytorch"): "webdataset",
    (Output.WEBDATASET, "huggingface"): "huggingface",
    (Output.TFRECORD, "tensorflow"): "tensorflow",
}
# Put after a snippet: name of the picture, and what the model has given, of each element.
END = """
import json

import numpy as np

def plain(value):
    return value.decode() if isinstance(value, bytes) else value

for sample in dataset:
    if hasattr(dataset, "as_numpy_iterator"):
        sample = {name: value.numpy() for name, value in sample.items()}
    about = sample.get("json") or sample.get("about") or sample
    name = plain(about.get("filename", sample.get("image/filename")))
    found = {"predicted": plain(about.get("predicted")), "score": about.get("score")}
    scores = about.get("scores", [])
    found["scores"] = [*(scores.values() if isinstance(scores, dict) else scores)]
    for vector in ("vector", "npy", "features"):
        if vector in sample:
            found["vector"] = np.asarray(sample[vector], np.float64).tolist()
    for drawing in ("model", "model.png"):
        if drawing in sample:
            pixels = np.asarray(sample[drawing])
            found["model"] = (pixels if pixels.ndim == 2 else pixels[..., 0]).tolist()
    print(json.dumps([name, found], default=float))
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_pictures(folder, 4)
    return folder


def wanted(out: Path) -> dict[str, dict[str, Any]]:
    """What samples hold, by the name of the picture."""
    card = json.loads((out / DATASET_CARD).read_bytes())
    found = {}
    for shard in card["shards"]:
        for sample in samples_in(card["format"], (out / shard["key"]).read_bytes()):
            said: dict[str, Any] = dict(sample.columns)
            if isinstance(said.get("scores"), dict):
                said["scores"] = [*said["scores"].values()]
            if "vector" in said:
                said["vector"] = vector_in(said["vector"]).astype(float).tolist()
            if "model" in said:
                said["model"] = np.asarray(Image.open(io.BytesIO(said["model"]))).tolist()
            found[sample.filename] = said
    return found


@pytest.mark.parametrize("kind", ModelOutput)
@pytest.mark.parametrize("output", [Output.PARQUET, Output.WEBDATASET, Output.TFRECORD])
def test_snippets_of_the_card_give_what_the_model_gave(
    photos: Path, tmp_path: Path, output: Output, kind: ModelOutput
) -> None:
    out, model = tmp_path / "out", tmp_path / "model.onnx"
    model.write_bytes(network(kind, metadata={"imagemill.labels": LABELS}))
    recipe = {"output": output, "model": model.as_uri(), "model_output": kind, "size": 32}
    run(photos, out, recipe)
    loaders = json.loads((out / DATASET_CARD).read_bytes())["loaders"]
    samples = wanted(out)
    assert len(samples) == 4
    for (form, library), environment in READERS.items():
        if form is not output:
            continue
        printed = printed_by(environment, ["-c", loaders[library] + END], out, tmp_path)
        found = dict(json.loads(line) for line in printed)
        assert found.keys() == samples.keys()
        for name, said in samples.items():
            assert found[name].items() >= {"predicted": None, **_but_for_numbers(said)}.items()
            for column in NUMBERS & said.keys():
                assert found[name][column] == pytest.approx(said[column], abs=1e-6), library


def _but_for_numbers(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in NUMBERS}
