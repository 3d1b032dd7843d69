"""A model's part of packed jobs: the same bytes after a death, and what is left out of samples."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imagemill_contract.documents import decode_outcomes
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.formats.vector_file import vector_in
from tests.helpers.dataset_samples import samples_in
from tests.helpers.jobs import Folder
from tests.helpers.networks import network
from tests.helpers.pictures import file_of, photograph
from tests.helpers.waiting import PATIENCE_SECONDS, until

COUNT = 9
LABELS = ["zebra", "dog", "neither"]


def planned(folder: Folder, output: str, body: bytes, kind: str, **fields: Any) -> None:
    model = folder.base / "model.onnx"
    model.write_bytes(body)
    folder.plan(size=32, output=output, model=model.as_uri(), model_output=kind, **fields)


@pytest.fixture(scope="module")
def resized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and their intermediate shard, which every packed form begins with."""
    folder = Folder(tmp_path_factory.mktemp("resized"))
    for number in range(COUNT):
        turned = photograph().rotate(3 * number).resize((90 + number, 80))
        folder.put(f"{number:02}.jpg", file_of(turned, "JPEG", quality=90))
    folder.put("broken.jpg", b"no picture")
    folder.put("white.jpg", file_of(Image.new("RGB", (50, 50), "white"), "PNG"))
    folder.plan(size=32, output="parquet")
    assert folder.run("resize").code == 0
    return folder.base


@pytest.fixture
def folder(resized: Path, tmp_path: Path) -> Folder:
    return Folder(Path(shutil.copytree(resized, tmp_path / "here")))


def run_all(folder: Folder, *options: str) -> None:
    for stage in ("model", "edge"):
        ended = folder.run(stage, *options)
        assert (ended.code, ended.errors) == (0, "")


def samples_of(folder: Folder) -> list[Sample]:
    header, _ = decode_outcomes(folder.outcome_path("edge").read_bytes())
    rows: Any = header["shards"]
    shards = [DatasetShard.from_row(row) for row in rows]
    kinds = {"tar": "webdataset", "tfrecord": "tfrecord", "parquet": "parquet"}
    bodies = {shard.key: (folder.output / shard.key).read_bytes() for shard in shards}
    assert all(len(bodies[shard.key]) == shard.bytes for shard in shards)
    found = [
        samples_in(kinds[key.rpartition(".")[2]], body) for key, body in sorted(bodies.items())
    ]
    return [sample for samples in found for sample in samples]


def test_a_picture_for_which_a_model_gives_no_number_is_in_no_shard(folder: Folder) -> None:
    planned(folder, "parquet", network("vector", nan=True), "vector")
    run_all(folder)
    assert folder.reasons("model") == {
        "broken.jpg": "no_resized_image",
        "white.jpg": "not_finite",
    }
    samples = samples_of(folder)
    assert [sample.filename for sample in samples] == [f"{n:02}.jpg" for n in range(COUNT)]
    for sample in samples:
        (vector,) = (body for body in sample.columns.values() if isinstance(body, bytes))
        assert vector_in(vector).shape == (8,)
    (piece,) = folder.output.glob("intermediate/*/*/model.tar")
    rows = {row.key: row for row in folder.outcomes("model")}
    assert rows["00.jpg"].output_key == str(piece.relative_to(folder.output))
    assert [rows[f"{n:02}.jpg"].position for n in range(COUNT)] == list(range(COUNT))


def test_the_same_bytes_come_of_any_number_of_attempts_and_threads(folder: Folder) -> None:
    planned(folder, "parquet", network("image"), "image")
    run_all(folder)
    whole = folder.files("")
    command = folder.command("model", "--threads", "1")
    (piece,) = folder.output.glob("intermediate/*/*/model.tar")
    piece.unlink()
    with subprocess.Popen(command, env=folder.environment({}), stdout=subprocess.PIPE) as process:
        until(lambda: piece.exists() or process.poll() is not None, "the piece is there")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
    for stage in ("model", "edge"):
        assert folder.run(stage, "--threads", "5").code == 0
    assert folder.files("") == whole


def test_a_vector_is_the_same_in_every_form(folder: Folder) -> None:
    found = []
    for output in ("webdataset", "tfrecord", "parquet"):
        planned(folder, output, network("vector"), "vector")
        run_all(folder)
        found.append([dict(sample.columns) for sample in samples_of(folder)])
    assert found[0] == found[1] == found[2]


def test_a_piece_that_is_damaged_or_gone_ends_the_job_that_packs_it(folder: Folder) -> None:
    planned(folder, "webdataset", network("vector"), "vector")
    assert folder.run("model").code == 0
    (piece,) = folder.output.glob("intermediate/*/*/model.tar")
    body = bytearray(piece.read_bytes())
    body[512 + 128] ^= 1  # of the first vector
    piece.write_bytes(body)
    ended = folder.run("edge")
    assert (ended.code, "gave for '00.jpg' came damaged" in ended.errors) == (75, True)
    piece.unlink()
    ended = folder.run("edge")
    assert (ended.code, "is not there" in ended.errors) == (2, True)
