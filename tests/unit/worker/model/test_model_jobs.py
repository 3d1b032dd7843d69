"""The job of the model stage: run as Batch runs it, compared with ONNX Runtime called by hand."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

from imagemill_contract import keys
from imagemill_contract.documents import decode_journal, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome
from imagemill_contract.reporting.usage import Usage
from imagemill_worker.errors import TryAgainError
from imagemill_worker.model.attempt import ModelAttempt
from tests.helpers.jobs import RUN, SHARD, Ended, Folder
from tests.helpers.networks import network
from tests.helpers.pictures import file_of, jpeg, photograph
from tests.helpers.waiting import PATIENCE_SECONDS, until

COUNT = 70  # two whole batches of 32 and one that is not


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    for number in range(COUNT):
        turned = photograph().rotate(3 * number).resize((90 + number, 80))
        folder.put(f"{number:02}.jpg", file_of(turned, "JPEG", quality=90))
    folder.put("broken.jpg", b"no picture")
    folder.plan(size=32)
    assert folder.run("resize").code == 0
    return folder


def planned(folder: Folder, body: bytes, output: str, **fields: object) -> None:
    """Plan a run with that model."""
    path = folder.base / "model.onnx"
    path.write_bytes(body)
    folder.plan(size=32, model=path.as_uri(), model_output=output, **fields)


def run(folder: Folder, body: bytes, output: str, *more: str, **fields: object) -> Ended:
    planned(folder, body, output, **fields)
    return folder.run("model", *more)


def outcomes(folder: Folder) -> tuple[dict[str, object], list[Outcome]]:
    return decode_outcomes(folder.outcome_path("model").read_bytes())


def by_hand(folder: Folder, body: bytes, name: str) -> NDArray[np.float32]:
    """What the network gives for a resized picture, alone."""
    with Image.open(folder.output / "resized" / name) as image:
        pixels = np.asarray(image.convert("RGB"))
    if pixels.shape[:2] != (24, 24):
        pixels = cv2.resize(pixels, (24, 24), interpolation=cv2.INTER_AREA)
    picture = pixels.astype(np.float32).transpose(2, 0, 1)[None] / 255
    (found,) = onnxruntime.InferenceSession(body).run(None, {"picture": picture})
    return np.asarray(found[0])


def files(folder: Folder) -> dict[str, bytes]:
    return folder.files("model_output")


def test_vectors_are_those_of_onnx_runtime(folder: Folder) -> None:
    body = network("vector", shape=("batch", 3, 32, 32))
    assert run(folder, body, "vector").code == 0
    found = files(folder)
    assert sorted(found) == [f"{number:02}.jpg.npy" for number in range(COUNT)]
    for number in range(COUNT):
        vector = np.load(io.BytesIO(found[f"{number:02}.jpg.npy"]))
        assert vector.dtype == np.float16
        with Image.open(folder.output / f"resized/{number:02}.jpg") as image:
            pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
        session = onnxruntime.InferenceSession(body)
        (wanted,) = session.run(None, {"picture": pixels})
        assert np.abs(vector - wanted[0]).max() < 1e-3


def test_every_object_has_its_outcome_and_the_model_its_digest(folder: Folder) -> None:
    assert run(folder, network("vector"), "vector").code == 0
    header, rows = outcomes(folder)
    assert header["planned"] == COUNT + 1 == len(rows)
    assert header["model_output"] == "vector"
    assert {row.key: str(row.reason) for row in rows if row.reason} == {
        "broken.jpg": "no_resized_image"
    }
    for row in rows[:COUNT]:
        assert (folder.output / str(row.output_key)).stat().st_size == row.output_bytes


def test_scores_have_the_names_of_the_labels(folder: Folder) -> None:
    labels = ["cat", "dog", "neither"]
    body = network("scores", metadata={"imagemill.labels": labels})
    assert run(folder, body, "scores").code == 0
    for name in ("00.jpg", "33.jpg", "69.jpg"):
        document = json.loads((folder.output / f"model_output/{name}.json").read_text())
        scores = document["scores"]
        assert set(scores) == set(labels)
        assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
        assert document["predicted"] == max(scores, key=scores.__getitem__)
        wanted = by_hand(folder, body, name)
        assert [scores[label] for label in labels] == pytest.approx(wanted.tolist(), abs=1e-3)


def test_pictures_are_grey_and_as_large_as_the_network_draws_them(folder: Folder) -> None:
    body = network("image", shape=("batch", 3, 32, 32))
    assert run(folder, body, "image").code == 0
    for name in ("00.jpg", "69.jpg"):
        with Image.open(folder.output / f"model_output/{name}.png") as image:
            assert (image.mode, image.size) == ("L", (32, 32))
            found = np.asarray(image) / 255
        with Image.open(folder.output / "resized" / name) as image:
            pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
        (wanted,) = onnxruntime.InferenceSession(body).run(None, {"picture": pixels})
        assert np.abs(found - wanted[0, 0]).max() < 0.5 / 255 + 1e-3


def test_network_of_a_fixed_batch_gives_the_same_but_for_rounding(folder: Folder) -> None:
    assert run(folder, network("vector"), "vector").code == 0
    free = files(folder)
    assert run(folder, network("vector", shape=(7, 3, 24, 24)), "vector").code == 0
    for name, body in files(folder).items():
        first, second = (np.load(io.BytesIO(item)) for item in (free[name], body))
        assert np.abs(first - second).max() < 1e-3


def test_value_that_is_no_number_rejects_its_picture_alone(folder: Folder) -> None:
    folder.put("white.jpg", file_of(Image.new("RGB", (50, 50), "white"), "PNG"))
    folder.plan(size=32)
    assert folder.run("resize").code == 0
    assert run(folder, network("vector", nan=True), "vector").code == 0
    _, rows = outcomes(folder)
    reasons = {row.key: str(row.reason) for row in rows if row.reason}
    assert reasons == {"broken.jpg": "no_resized_image", "white.jpg": "not_finite"}
    assert "white.jpg.npy" not in files(folder)


def test_picture_that_is_gone_or_changed_costs_only_itself(folder: Folder) -> None:
    assert run(folder, network("vector"), "vector").code == 0
    before = files(folder)
    for path in (folder.output / "model_output").iterdir():
        path.unlink()
    (folder.output / "resized/03.jpg").unlink()
    (folder.output / "resized/40.jpg").write_bytes(jpeg(32, 32))
    assert run(folder, network("vector"), "vector").code == 0
    assert {row.key for row in outcomes(folder)[1] if row.reason} == {
        *("03.jpg", "40.jpg", "broken.jpg")
    }
    kept = {name: body for name, body in before.items() if name[:2] not in ("03", "40")}
    assert files(folder) == kept


def test_attempt_after_a_killed_one_writes_the_same_bytes(folder: Folder) -> None:
    body = network("image")
    assert run(folder, body, "image").code == 0
    whole, document = files(folder), folder.outcome_path("model")
    said = document.read_bytes()
    for path in (folder.output / "model_output").iterdir():
        path.unlink()
    document.unlink()
    command = folder.command("model", "--threads", "1")
    with subprocess.Popen(command, env=folder.environment({})) as process:
        until(lambda: any((folder.output / "model_output").glob("*")), "a picture is drawn")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
    assert run(folder, body, "image", "--threads", "3").code == 0
    assert files(folder) == whole
    assert document.read_bytes() == said


def test_job_that_is_told_to_stop_asks_for_another_attempt(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    planned(folder, network("vector"), "vector")
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TryAgainError, match="told to stop"):
        ModelAttempt(folder.shard_address, False, 1, 8, stopping).run()
    assert not folder.outcome_path("model").exists()


@pytest.mark.parametrize(
    ("body", "output", "fields", "sentence"),
    [
        (b"no network", "vector", {}, "The model is no ONNX file that can be run"),
        (network("scores"), "image", {}, "a batch of image has 3 or 4"),
        (network("image"), "scores", {}, "a batch of scores has 1 or 2"),
        (network("vector", shape=("n", 4, 24, 24)), "vector", {}, "The model takes 4 channels"),
        (
            network("vector", shape=("n", 3, "h", "w")),
            "vector",
            {},
            "model_preprocessing.height must say",
        ),
        (
            network("vector"),
            "vector",
            {"model_preprocessing": {"width": 99}},
            "model_preprocessing.width is 99, but the model's is 24.",
        ),
        (
            network("vector"),
            "vector",
            {"model_preprocessing": {"output": "x"}},
            "The model has no output 'x'; it has result.",
        ),
        (network("vector"), "vector", {"model_sha256": "0" * 64}, "The model is another one since"),
    ],
)
def test_model_that_does_not_fit_ends_the_job_with_one_sentence(
    tmp_path: Path, body: bytes, output: str, fields: dict[str, object], sentence: str
) -> None:
    folder = Folder(tmp_path)
    folder.put("a.jpg", jpeg())
    folder.plan(size=32)
    assert folder.run("resize").code == 0
    ended = run(folder, body, output, **fields)
    assert ended.code == 2
    assert sentence in ended.errors
    assert ended.errors.count("\n") == 1
    assert not folder.outcome_path("model").exists()
    (page,) = folder.files("journal").values()
    assert sentence in str(decode_journal(page)[0]["last_words"])


def test_job_without_the_gpu_that_it_was_told_to_use_ends(folder: Folder) -> None:
    ended = run(folder, network("vector"), "vector", "--gpu")
    assert (ended.code, "A GPU was asked for, but" in ended.errors) == (2, True)


def test_model_that_is_not_there_ends_the_job(folder: Folder) -> None:
    folder.plan(size=32, model=(folder.base / "none.onnx").as_uri())
    ended = folder.run("model")
    assert ended.code == 2
    assert "The model document" in ended.errors
    assert "is not there." in ended.errors


def test_a_job_of_a_stage_that_the_recipe_leaves_out_ends_with_one_sentence(folder: Folder) -> None:
    folder.plan(size=32, edge="none")
    for stage in ("model", "edge"):
        ended = folder.run(stage)
        assert (ended.code, f"The recipe has no stage {stage}." in ended.errors) == (2, True)


def test_edges_are_found_only_in_pictures_that_the_model_has_taken(folder: Folder) -> None:
    folder.put("white.jpg", file_of(Image.new("RGB", (50, 50), "white"), "PNG"))
    folder.plan(size=32)
    assert folder.run("resize").code == 0
    assert run(folder, network("vector", nan=True), "vector").code == 0
    assert folder.run("edge").code == 0
    assert folder.reasons("edge") == {
        "broken.jpg": "no_resized_image",
        "white.jpg": "no_model_output",
    }
    assert len(folder.files("edges")) == COUNT


def test_pictures_are_kept_by_their_scores(folder: Folder) -> None:
    body = network("scores", metadata={"imagemill.labels": ["cat", "dog", "neither"]})
    assert run(folder, body, "scores").code == 0
    cats = {name: json.loads(text)["scores"]["cat"] for name, text in files(folder).items()}
    limit = sorted(cats.values())[COUNT // 2]
    wanted = {name.removesuffix(".json") for name, score in cats.items() if score > limit}
    shutil.rmtree(folder.output / "model_output")
    assert run(folder, body, "scores", keep_if=f'scores["cat"] > {limit}').code == 0
    assert {name.removesuffix(".json") for name in files(folder)} == wanted
    reasons = folder.reasons("model")
    assert {key for key, reason in reasons.items() if reason == "not_kept"} == (
        {f"{number:02}.jpg" for number in range(COUNT)} - wanted
    )
    said: dict[str, Any] = {row.key: row.scores for row in outcomes(folder)[1] if row.scores}
    assert {key for key, scores in said.items() if scores["cat"] > limit} == wanted
    assert len(said) == COUNT
    (detail, *_) = [row.detail for row in outcomes(folder)[1] if row.reason == "not_kept"]
    assert detail.startswith(f'scores["cat"] > {limit} does not hold: scores are {{"cat": ')
    assert folder.run("edge").code == 0
    assert {name.removesuffix(".png") for name in folder.files("edges")} == wanted


def test_a_job_says_what_it_has_used(folder: Folder) -> None:
    assert run(folder, network("vector"), "vector").code == 0
    key = keys.usage_key(RUN, Stage.MODEL, SHARD)
    usage = Usage.decode((folder.output / key).read_bytes())
    assert usage.attempts == 1
    assert usage.cpu_seconds > 0
    assert usage.read_bytes == sum(len(body) for body in folder.files("resized").values())


def test_environment_without_onnx_runtime_says_so(folder: Folder) -> None:
    hidden = (
        "import sys, importlib.util\n"
        "find = importlib.util.find_spec\n"
        "def hidden(name, *more): return None if name == 'onnxruntime' else find(name, *more)\n"
        "importlib.util.find_spec = hidden\n"
        "from imagemill_worker.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    planned(folder, network("vector"), "vector")
    command = folder.command("model")
    at = command.index("imagemill_worker")
    ended = subprocess.run(
        [sys.executable, "-c", hidden, *command[at + 1 :]],
        env=folder.environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert "There is no ONNX Runtime here" in ended.stderr
