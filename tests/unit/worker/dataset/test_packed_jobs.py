"""Packed outputs: what jobs leave, at any number of lanes and after any death."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagemill_contract import keys
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.sampling import MAX_PREVIEWS, drawing
from imagemill_dataset.names import EXTENSIONS, sample_key, split_of
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample
from imagemill_worker.dataset.intermediate import IntermediateWriter
from imagemill_worker.dataset.proof import check_shard
from imagemill_worker.errors import TryAgainError
from imagemill_worker.journal import Journal
from imagemill_worker.picture.edges import edge_map
from imagemill_worker.spool import Spooled
from imagemill_worker.stores.opening import open_store
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg, recipe

PACKED = [output for output in Output if output is not Output.FILES]
SPLIT = {"train": 0.6, "validation": 0.4}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def fill(folder: Folder, count: int = 30) -> list[str]:
    names = [f"{'cats' if n % 3 else 'dogs'}/{n:02}.b.jpg" for n in range(count)]
    for number, name in enumerate(names):
        folder.put(name, jpeg(90 + number, 70))
    return names


def run_both(folder: Folder, *options: str) -> None:
    for stage in ("resize", "edge"):
        ended = folder.run(stage, *options)
        assert (ended.code, ended.errors) == (0, "")


def shards_of(folder: Folder) -> list[DatasetShard]:
    header, _ = decode_outcomes(folder.outcome_path("edge").read_bytes())
    rows = header["shards"]
    assert isinstance(rows, list)
    return [DatasetShard.from_row(row) for row in rows]


def samples_of(folder: Folder, shard: DatasetShard) -> list[Sample]:
    with (folder.output / shard.key).open("rb") as file:
        kind = Output(next(kind for kind, end in EXTENSIONS.items() if shard.key.endswith(end)))
        return list(dataset_format(kind).read(file))


def pixels_of(body: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("output", PACKED)
def test_every_size_is_in_the_sample_and_a_wrong_byte_of_any_is_found(
    folder: Folder, output: Output
) -> None:
    fill(folder, 5)
    folder.plan(sizes=[16, 48, 64], mode="keep_ratio", output=str(output))
    run_both(folder)
    (shard,) = shards_of(folder)
    body = (folder.output / shard.key).read_bytes()
    samples = samples_of(folder, shard)
    assert len(samples) == 5
    rows = {sample_key(row.key): row for row in folder.outcomes("resize")}
    for sample in samples:
        assert sample.height == 64
        assert set(sample.columns) == {"image_16", "edge_16", "image_48", "edge_48"}
        for size, written in zip((48, 16), rows[sample.key].smaller, strict=True):
            image, edge = (sample.columns[f"{name}_{size}"] for name in ("image", "edge"))
            assert isinstance(image, bytes)
            assert isinstance(edge, bytes)
            assert hashlib.sha256(image).hexdigest() == written.sha256
            with Image.open(io.BytesIO(edge)) as opened:
                pixels = np.asarray(opened)
            assert pixels.shape == (written.height, written.width)
            assert np.array_equal(pixels, edge_map(image, recipe()))
            for file in (image, edge):
                at = body.index(file) + len(file) // 2
                damaged = io.BytesIO(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
                with pytest.raises(DamagedShardError):
                    check_shard(damaged, shard, {})
    check_shard(io.BytesIO(body), shard, {})


@pytest.mark.parametrize("output", PACKED)
def test_every_picture_is_in_one_shard_with_its_edges(folder: Folder, output: Output) -> None:
    names = fill(folder)
    folder.put("cats/broken.jpg", b"no picture")
    folder.plan(size=48, output=str(output), split=SPLIT, shard_bytes=100_000)
    run_both(folder)
    found: dict[str, tuple[str, int, Sample]] = {}
    for shard in shards_of(folder):
        path = folder.output / shard.key
        assert path.stat().st_size == shard.bytes <= 100_000
        samples = samples_of(folder, shard)
        assert len(samples) == shard.samples
        for position, sample in enumerate(samples):
            assert sample.filename not in found
            found[sample.filename] = (shard.key, position, sample)
            assert shard.split == split_of(sample.filename, tuple(SPLIT.items()))
    assert sorted(found) == sorted(names)
    rows = {row.key: row for row in folder.outcomes("edge")}
    for name, (key, position, sample) in found.items():
        assert (rows[name].output_key, rows[name].position) == (key, position)
        assert sample.key == sample_key(name)
        assert pixels_of(sample.image).shape == (48, 48, 3)
        expected = edge_map(sample.image, Recipe())
        assert np.array_equal(pixels_of(sample.edge)[:, :, 0], expected)
    assert rows["cats/broken.jpg"].status is Status.SKIPPED
    assert set(folder.files("")) == {
        *(shard.key for shard in shards_of(folder)),
        *(name for name in folder.files("") if name.startswith("intermediate/run-1/00000/")),
        *(name for name in folder.files("") if name.startswith("runs/")),
    }


def test_sample_goes_into_the_split_that_was_planned_for_it(folder: Folder) -> None:
    names = fill(folder)
    planned = {name: "train" if place % 3 else "validation" for place, name in enumerate(names)}
    shard = folder.plan(size=32, output="webdataset", split=SPLIT)
    path = folder.output / keys.shard_key(shard.run_id, shard.shard_id)
    path.write_bytes(replace(shard, splits=planned).encode())
    run_both(folder)
    found = {
        sample.filename: packed.split
        for packed in shards_of(folder)
        for sample in samples_of(folder, packed)
    }
    assert found == planned
    assert found != {name: split_of(name, tuple(SPLIT.items())) for name in names}


def test_pictures_of_a_folder_go_into_one_split(folder: Folder) -> None:
    for number in range(12):
        folder.put(f"{number % 6}/{number}.jpg", jpeg(40 + number, 32))
    folder.plan(size=32, output="webdataset", split=SPLIT, split_by="folder")
    run_both(folder)
    splits: dict[str, set[str]] = {}
    for packed in shards_of(folder):
        for sample in samples_of(folder, packed):
            splits.setdefault(sample.filename[0], set()).add(packed.split)
    assert len(splits) == 6
    assert all(len(found) == 1 for found in splits.values())


def test_sums_of_pixels_are_those_of_the_decoded_pictures(folder: Folder) -> None:
    fill(folder)
    folder.plan(size=40, output="parquet", split=SPLIT)
    run_both(folder)
    for shard in shards_of(folder):
        decoded = [pixels_of(sample.image).reshape(-1, 3) for sample in samples_of(folder, shard)]
        pixels = np.concatenate(decoded) / 255
        assert shard.pixels.pixels == len(pixels)
        assert shard.pixels.mean == pytest.approx(pixels.mean(0).tolist(), abs=1e-12)
        assert shard.pixels.standard_deviation == pytest.approx(pixels.std(0).tolist(), abs=1e-12)
    whole = PixelSums.total(shard.pixels for shard in shards_of(folder))
    assert whole.pixels == 30 * 40 * 40


@pytest.mark.parametrize("output", PACKED)
def test_lanes_and_retries_change_no_byte(folder: Folder, output: Output) -> None:
    fill(folder, 40)
    folder.plan(size=32, output=str(output), split=SPLIT, shuffle=True, seed=5)
    run_both(folder, "--threads", "1")
    first = folder.files("")
    run_both(folder, "--threads", "16", "--vcpus", "2")
    assert folder.files("") == first


def test_small_copies_are_left_of_those_that_the_page_can_draw(folder: Folder) -> None:
    names = fill(folder)
    folder.put("cats/broken.jpg", b"no picture")
    folder.plan(size=200, output="parquet")
    run_both(folder)
    header, _ = decode_outcomes(folder.outcome_path("edge").read_bytes())
    rows = header["previews"]
    assert isinstance(rows, list)
    previews = [Preview.from_row(row) for row in rows]
    draw = drawing(folder.run_id)
    assert [item.key for item in previews] == sorted(names, key=draw)[:MAX_PREVIEWS]
    samples = {sample.filename: sample for sample in samples_of(folder, shards_of(folder)[0])}
    for item in previews:
        sample = samples[item.key]
        for text, body in ((item.resized, sample.image), (item.edges, sample.edge)):
            small = pixels_of(base64.b64decode(text))
            assert small.shape == (96, 96, 3)
            with Image.open(io.BytesIO(body)) as whole:
                expected = np.asarray(whole.convert("RGB").resize((96, 96)), np.float64)
            assert np.abs(small - expected).mean() < 20
    assert len(folder.outcome_path("edge").read_bytes()) < 200_000


def test_shuffled_samples_are_the_same_ones(folder: Folder) -> None:
    fill(folder)
    orders = []
    for seed in (None, 1, 2):
        shuffle = {} if seed is None else {"shuffle": True, "seed": seed}
        folder.plan(size=16, output="webdataset", **shuffle)
        run_both(folder)
        (shard,) = shards_of(folder)
        orders.append([sample.filename for sample in samples_of(folder, shard)])
    assert orders[0] == sorted(orders[0])
    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset(order) for order in orders}) == 1


def test_killer_costs_itself_and_no_neighbour(folder: Folder) -> None:
    names = fill(folder)
    folder.put("cats/killer.jpg", b"KILL")
    folder.put("cats/unlucky.jpg", jpeg() + b"ONCE")
    folder.plan(size=16, output="webdataset")
    assert folder.run_with_killers("resize", "--vcpus", "2").code == 0
    assert folder.run("edge").code == 0
    assert folder.reasons("resize") == {"cats/killer.jpg": "decoder_crashed"}
    (shard,) = shards_of(folder)
    found = [sample.filename for sample in samples_of(folder, shard)]
    assert sorted(found) == sorted([*names, "cats/unlucky.jpg"])


# Put before the worker's own modules: the job dies while it writes its second dataset shard.
DYING = """
import os, signal
from imagemill_worker.stores.files.folder import FolderObjects
put_file, written = FolderObjects.put_file, []
class Half:
    def __init__(self, file):
        self.file, self.begun = file, False
    def seek(self, *place):
        return self.file.seek(*place)
    def read(self, _length):
        if self.begun:
            os.kill(os.getpid(), signal.SIGKILL)
        self.begun = True
        return self.file.read(20_000)
def put_and_die(self, key, file):
    written.append(key)
    is_second = len(written) == 2
    put_file(self, key, Half(file) if is_second and os.environ["DIES"] == "within" else file)
    if is_second:
        os.kill(os.getpid(), signal.SIGKILL)
FolderObjects.put_file = put_and_die
"""


@pytest.mark.parametrize(("moment", "there"), [("within", 1), ("after", 2)])
def test_job_killed_while_it_writes_leaves_nothing_torn(
    folder: Folder, moment: str, there: int
) -> None:
    fill(folder)
    folder.plan(size=100, quality=100, output="webdataset", split=SPLIT, shard_bytes=100_000)
    assert folder.run("resize").code == 0
    (folder.base / "sitecustomize.py").write_text(DYING)
    env = folder.environment({"DIES": moment})
    env["PYTHONPATH"] = f"{folder.base}{os.pathsep}{env['PYTHONPATH']}"
    killed = subprocess.run(folder.command("edge"), env=env, stdout=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = {k: body for k, body in folder.files("dataset").items() if not k.endswith(".part")}
    assert len(left) == there
    assert folder.run("edge").code == 0
    whole = folder.files("dataset")
    assert {key: whole[key] for key in left} == left
    assert len(whole) > 2
    assert {shard.key: shard.sha256 for shard in shards_of(folder)} == {
        f"dataset/{name}": hashlib.sha256(body).hexdigest() for name, body in whole.items()
    }


def test_damaged_intermediate_shard_is_noticed(folder: Folder) -> None:
    fill(folder, 5)
    folder.plan(size=16, output="webdataset")
    assert folder.run("resize").code == 0
    (path,) = (folder.output / keys.intermediate_folder("run-1")).rglob("*.tar")
    body = bytearray(path.read_bytes())
    body[700] ^= 1
    path.write_bytes(body)
    ended = folder.run("edge")
    assert ended.code == 75
    assert "came damaged" in ended.errors
    path.unlink()
    ended = folder.run("edge")
    assert ended.code == 2
    assert "is not there" in ended.errors


def test_shard_without_a_picture_writes_none(folder: Folder) -> None:
    folder.put("broken.jpg", b"no picture")
    folder.plan(output="tfrecord")
    run_both(folder)
    assert shards_of(folder) == []
    assert not (folder.output / "dataset").exists()
    row: Outcome = folder.outcomes("edge")[0]
    assert row.status is Status.SKIPPED


def test_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")

    def full_disk() -> object:
        return Path("/dev/full").open("r+b", buffering=0)

    source = tmp_path / "spool"
    source.write_bytes(b"picture" * 3000)
    folder = Folder(tmp_path)
    folder.put("a.jpg", b"picture")
    shard = folder.plan(output="webdataset")
    store = open_store(shard.output, create=True)
    monkeypatch.setattr("imagemill_worker.dataset.intermediate.temporary_file", full_disk)
    with source.open("rb") as spool:
        journal = Journal(store, shard, keys.Stage.RESIZE)
        with IntermediateWriter(store, shard, journal) as writer:
            picture = Spooled(spool.fileno(), 0, 21_000)
            writer.add(0, Outcome("a.jpg", Status.WRITTEN), picture)
            with pytest.raises(TryAgainError, match="No space left"):
                writer.finished()


def test_sizes_that_differ_widely_make_no_crumbs(folder: Folder) -> None:
    draw = np.random.default_rng(1)
    for number in range(40):
        side = 300 if number % 9 == 4 else 50
        pixels = draw.integers(0, 256, (side, side, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        folder.put(f"{number:02}.png", buffer.getvalue())
    folder.plan(mode="no", output="tfrecord", shard_bytes=100_000)
    run_both(folder)
    samples = [shard.samples for shard in shards_of(folder)]
    assert sum(samples) == 40
    assert len(samples) <= 2 * 4 + 1 + sum(shard.bytes for shard in shards_of(folder)) // 100_000
