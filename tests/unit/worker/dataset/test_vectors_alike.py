"""Which pictures are alike by the vectors that a model has given for them."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import ModelOutput, Output
from imagemill_contract.recipe_parts.choices import Measure
from imagemill_contract.recipe_parts.given import VECTOR, given_columns
from imagemill_dataset.index import Entry, IndexedRun, Place, encode_part
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.alike import by_vectors, cosine
from imagemill_worker.dataset.alike.duplicates import duplicates
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import ANY_BYTES
from imagemill_worker.dataset.formats.vector_file import npy_file
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather
from tests.helpers.dataset_samples import noise, sample
from tests.helpers.datasets import Dataset

RUNNING = threading.Event()
ONE = {"model": "s3://models/one.onnx", "model_sha256": "1" * 64}


@pytest.fixture(autouse=True)
def allow_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")


def by_definition(vectors: NDArray[np.float16], distance: float) -> list[int]:
    """The leaders, by all cosines and all steps."""
    wide = vectors.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    near = wide @ wide.T >= 1 - distance
    found = np.arange(len(wide))
    while True:
        least = np.where(near, found, len(wide)).min(axis=1)
        if (least == found).all():
            return list(map(int, found))
        found = np.minimum(least, found)


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 3, 40, 300]),
    st.sampled_from([0.001, 0.02, 0.2, 0.6]),
    st.sampled_from([7, 64]),
)
def test_vectors_that_small_steps_link_are_found(
    seed: int, size: int, distance: float, block: int
) -> None:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((12, size)) * np.linspace(1, 0.1, size)
    noise = random.choice([0, 0.03, 0.3], (60, 1)) * random.standard_normal((60, size))
    vectors = (centres[random.integers(0, 12, 60)] + noise).astype(np.float16)
    vectors = vectors[vectors.any(axis=1)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cosine, "_BLOCK", block)
        patched.setattr(cosine, "_CHUNK", 5)
        found = cosine.leaders(vectors, distance, RUNNING)
    assert found.tolist() == by_definition(vectors, distance)


@pytest.mark.parametrize("single", [0.0, 1e9])
def test_pairs_are_compared_one_by_one_or_in_blocks_to_the_same_end(
    single: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((500, 64)).astype(np.float16)
    vectors[250:] = vectors[:250] + 0.1 * random.standard_normal((250, 64)).astype(np.float16)
    monkeypatch.setattr(cosine, "_SINGLE", single)
    found = cosine.leaders(vectors, 0.05, RUNNING)
    assert found.tolist() == [*range(250), *range(250)]


def test_a_search_ends_when_it_is_told_to() -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TryAgainError, match="told to stop"):
        cosine.leaders(np.ones((2, 4), np.float16), 0.1, stopping)


def found(
    dataset: Dataset, capfd: pytest.CaptureFixture[str], distance: float
) -> tuple[list[list[str]], dict[str, object]]:
    capfd.readouterr()
    address = f"file://{dataset.output}/"
    duplicates(address, RUNNING, by=Measure.VECTOR, distance=distance)
    *groups, summary = map(json.loads, capfd.readouterr().out.splitlines())
    return [group["names"] for group in groups], summary


def test_vectors_in_files_are_compared_with_those_of_the_same_model(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = Dataset(tmp_path)
    recipes: dict[str, dict[str, Any]] = {
        "one": ONE,
        "other": ONE | {"model_sha256": "2" * 64},
        "way": ONE | {"model_preprocessing": {"range": [-1, 1]}},
        "scores": ONE | {"model_output": "scores"},
        "none": {},
    }
    runs = {name: IndexedRun(name, "2026", "source", recipe) for name, recipe in recipes.items()}
    east, north, nearly_east = [1.0, 0, 0], [0, 2.0, 0], [3, 0.2, 0]
    rows: dict[str, tuple[str, Reason | None, list[float]]] = {
        "a.jpg": ("one", None, east),
        "b.jpg": ("one", None, north),
        "c.jpg": ("one", None, nearly_east),
        "d.jpg": ("other", None, east),
        "e.jpg": ("one", Reason.CORRUPT, []),
        "f.jpg": ("one", None, [0, 0, 0]),
        "g.jpg": ("one", None, []),  # somebody has removed it
        "h.jpg": ("scores", None, []),
        "i.jpg": ("none", None, []),
        "k.jpg": ("way", None, east),
    }
    for name, (_, _, vector) in rows.items():
        if vector:
            body = npy_file(np.array(vector, np.float16))
            dataset.write(f"model_output/{name}.npy", body)
    for run_id, run in runs.items():
        part = {key: Entry("e", why, run) for key, (it, why, _) in rows.items() if it == run_id}
        dataset.write(f"index/2026-{run_id}.jsonl.gz", encode_part(part))
    summary = {"event": "compared", "pictures": 5, "plain": 0, "unknown": 4}
    assert found(dataset, capfd, 0.01) == (
        [["a.jpg", "c.jpg"]],
        summary | {"groups": 1, "extra": 1},
    )
    assert found(dataset, capfd, 0.001) == ([], summary | {"groups": 0, "extra": 0})
    dataset.write("model_output/b.jpg.npy", npy_file(np.ones(4, np.float16)))
    with pytest.raises(ArgumentsError, match="some vectors have 3 numbers"):
        found(dataset, capfd, 0.01)
    dataset.write("model_output/b.jpg.npy", b"no file of numbers")
    with pytest.raises(ArgumentsError, match=r"model_output/b\.jpg\.npy holds no vector"):
        found(dataset, capfd, 0.01)


def test_a_store_in_bad_weather_is_asked_by_fewer_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(tmp_path)
    run = IndexedRun("run", "2026", "source", ONE)
    part = {f"{number}.jpg": Entry("e", None, run) for number in range(100)}
    dataset.write("index/2026-run.jsonl.gz", encode_part(part))
    at_once, most = [0], 0
    count = threading.Lock()

    def find_document(store: Store, _key: str) -> None:
        nonlocal most
        with store.weather.request():
            with count:
                at_once[0] += 1
                most = max(most, at_once[0])
            time.sleep(0.001)
            with count:
                at_once[0] -= 1

    def open_in_bad_weather(address: str, weather: Weather) -> DatasetStore:
        weather.went_wrong()
        return open_store(address, weather)

    open_store = DatasetStore.open
    monkeypatch.setattr(DatasetStore, "open", open_in_bad_weather)
    monkeypatch.setattr(
        by_vectors, "_of_file", lambda store, name: find_document(store.store, name)
    )
    with pytest.raises(ArgumentsError, match="There are no vectors"):
        duplicates(f"file://{dataset.output}/", RUNNING, by=Measure.VECTOR, distance=0.1)
    assert 1 < most <= by_vectors.THREADS / 2


@pytest.mark.parametrize("output", [Output.WEBDATASET, Output.TFRECORD, Output.PARQUET])
def test_vectors_in_dataset_shards_are_read_there(
    output: Output, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset, packing = Dataset(tmp_path), dataset_format(output)
    key = f"dataset/images-train-0123abcd-000000{packing.extension}"
    vectors = np.random.default_rng(0).standard_normal((4, 32)).astype(np.float16)
    vectors[3] = vectors[1] * 2
    samples = [
        sample(f"{place}", noise(place, 99), columns={VECTOR: npy_file(vector)})
        for place, vector in enumerate(vectors)
    ]
    file = io.BytesIO()
    packing.write(file, samples, ANY_BYTES, given_columns("model", ModelOutput.VECTOR))
    dataset.write(key, file.getvalue())
    run = IndexedRun("run", "2026", "source", ONE | {"output": str(output)})
    places = [Place(key, place, 8, 8, 1, 1, it.sha256) for place, it in enumerate(samples)]
    part = {f"{place.position}.jpg": Entry("e", None, run, place=place) for place in places}
    shard = DatasetShard(key, "train", 4, len(file.getvalue()), "0" * 64, PixelSums())
    dataset.write("index/2026-run.jsonl.gz", encode_part(part, [shard]))
    groups, summary = found(dataset, capfd, 0.01)
    assert groups == [["1.jpg", "3.jpg"]]
    assert (summary["pictures"], summary["unknown"]) == (4, 0)
    dataset.write(key, file.getvalue()[:-40])
    with pytest.raises(ArgumentsError, match="is damaged"):
        found(dataset, capfd, 0.01)


@pytest.mark.parametrize(
    ("by", "distance", "sentence"),
    [
        (Measure.VECTOR, None, "Vectors are compared by 1 - cosine"),
        (Measure.VECTOR, 2.0, "Vectors are compared by 1 - cosine"),
        (Measure.FINGERPRINT, 0.5, "whole bits, 0 to 16"),
        (Measure.FINGERPRINT, 17.0, "whole bits, 0 to 16"),
        (Measure.VECTOR, 0.1, "There are no vectors"),
    ],
)
def test_what_cannot_be_compared_is_told(
    by: Measure, distance: float | None, sentence: str, tmp_path: Path
) -> None:
    dataset = Dataset(tmp_path)
    run = IndexedRun("run", "2026", "source", {})
    dataset.write("index/2026-run.jsonl.gz", encode_part({"a.jpg": Entry("e", None, run)}))
    with pytest.raises(ArgumentsError, match=sentence):
        duplicates(f"file://{dataset.output}/", RUNNING, by=by, distance=distance)
