"""`verify` finds what is not whole; `compact` leaves what counts, and nothing else."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from imagemill_contract import keys
from imagemill_contract.recipe import Output
from imagemill_dataset.index import Entry, Index, encode_part
from imagemill_dataset.names import format_of
from imagemill_worker.dataset.compact import compact
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import TryAgainError
from imagemill_worker.stores.store import Store
from tests.helpers.datasets import Dataset
from tests.helpers.networks import network
from tests.helpers.pictures import jpeg

SPLIT = {"train": 0.6, "validation": 0.4}
PACKED = [output for output in Output if output is not Output.FILES]


def pictures(count: int, first: int = 0, width: int = 64) -> dict[str, bytes]:
    return {f"{n:02}.jpg": jpeg(width + n, 48) for n in range(first, first + count)}


def grown(base: Path, **recipe: object) -> Dataset:
    """20 pictures, then two of them changed and three new."""
    made = Dataset(base)
    made.recipe |= {"split": SPLIT, **recipe}
    made.run(pictures(20))
    made.run(pictures(2, width=100) | pictures(3, first=20))
    return made


@pytest.fixture(scope="session")
def several_shards(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Made once, to be copied."""
    return grown(tmp_path_factory.mktemp("several-shards"), shard_bytes=100_000)


@pytest.fixture
def dataset(several_shards: Dataset, tmp_path: Path) -> Dataset:
    return several_shards.copied_to(tmp_path)


def samples_of(dataset: Dataset, index: Index) -> dict[str, Sample]:
    """All samples in the shards that the index names, by file name; each is there once."""
    found: dict[str, Sample] = {}
    for key in index.shards:
        with (dataset.output / key).open("rb") as file:
            for sample in dataset_format(format_of(key)).read(file):
                assert sample.filename not in found
                found[sample.filename] = sample
    return found


def splits_of(index: Index) -> dict[str, str]:
    placed = {name: entry.place for name, entry in index.entries.items() if entry.place}
    return {name: index.shards[place.shard].split for name, place in placed.items()}


def test_what_a_model_gave_stays_with_its_picture(tmp_path: Path) -> None:
    dataset, model = Dataset(tmp_path), tmp_path / "model.onnx"
    model.write_bytes(network("vector", shape=("batch", 3, 32, 32)))
    dataset.recipe |= {"output": "parquet"}
    dataset.run(pictures(3))  # before there was a model
    dataset.recipe |= {"model": model.as_uri()}
    dataset.run(pictures(1, first=2, width=100) | pictures(3, first=10))
    before = {
        sample.filename: sample.columns["vector"]
        for path in dataset.shard_paths()
        for sample in dataset_format(Output.PARQUET).read(io.BytesIO(path.read_bytes()))
        if "vector" in sample.columns
    }
    assert len(before) == 4
    ended = dataset.upkeep("compact")
    assert (ended.code, ended.errors) == (0, "")
    found = samples_of(dataset, dataset.index())
    assert {name: found[name].columns["vector"] for name in found} == {
        **{"00.jpg": None, "01.jpg": None},
        **before,
    }
    assert dataset.upkeep("verify").code == 0


def test_verify_counts_what_is_there(dataset: Dataset) -> None:
    ended = dataset.upkeep("verify")
    assert (ended.code, ended.errors) == (0, "")
    (found,) = ended.lines
    assert found["event"] == "verified"
    assert (found["samples"], found["indexed"], found["superseded"]) == (25, 23, 2)
    assert found["damaged"] == 0


def test_verify_counts_files_that_the_index_does_not_name(dataset: Dataset) -> None:
    path = dataset.output / "dataset/images-train-0badcafe-00000-0000.tar"
    path.write_bytes(b"given up")
    left, found = dataset.upkeep("verify").lines
    assert (found["unnamed"], found["damaged"]) == (1, 0)
    assert (left["event"], left["name"]) == ("leftover", f"dataset/{path.name}")
    assert path.exists()


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "other"])
def test_verify_names_the_shard_that_is_not_whole(dataset: Dataset, damage: str) -> None:
    path, other = sorted(dataset.shard_paths())[:2]
    body = bytearray(path.read_bytes())
    if damage == "flip":
        body[len(body) // 2] ^= 1
    elif damage == "cut":
        del body[-100:]
    path.write_bytes(other.read_bytes() if damage == "other" else body)
    if damage == "gone":
        path.unlink()
    ended = dataset.upkeep("verify")
    assert ended.code == 3
    assert [line["shard"] for line in ended.lines[:-1]] == [f"dataset/{path.name}"]
    assert ended.lines[-1]["damaged"] == 1


def test_lost_shard_whose_pictures_were_done_again_is_no_damage(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    dataset.run(pictures(5))
    (lost,) = dataset.shard_paths()
    lost.unlink()
    dataset.run(pictures(5))
    ended = dataset.upkeep("verify")
    assert (ended.code, ended.lines[-1]["damaged"]) == (0, 0)
    assert dataset.upkeep("compact").code == 0
    assert len(samples_of(dataset, dataset.index())) == 5


def test_dataset_of_which_nothing_counts_is_not_compacted_away(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    dataset.run(pictures(3))
    paths = dataset.shard_paths()
    run = next(iter(dataset.index().entries.values())).run
    files = replace(run, run_id="run-9", started="2026-11-23T10:09:00.000Z")
    entries = {name: Entry("e", None, files) for name in pictures(3)}
    dataset.write("index/9.jsonl.gz", encode_part(entries))
    ended = dataset.upkeep("compact")
    assert ended.code == 2
    assert "nothing would be left" in ended.errors
    assert dataset.shard_paths() == paths


def test_output_without_a_dataset_is_refused(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    dataset.output.mkdir()
    for command in ("verify", "compact"):
        ended = dataset.upkeep(command)
        assert ended.code == 2
        assert "There are no dataset shards" in ended.errors


@pytest.mark.parametrize("output", PACKED)
def test_compacted_dataset_has_each_newest_sample_once(tmp_path: Path, output: Output) -> None:
    dataset = grown(tmp_path, output=str(output))
    before = dataset.index()
    ended = dataset.upkeep("compact")
    assert (ended.code, ended.errors) == (0, "")
    assert ended.lines[-1]["superseded"] == 2
    after = dataset.index()
    found = samples_of(dataset, after)
    assert {name: sample.sha256 for name, sample in found.items()} == {
        name: entry.place.sha256 for name, entry in before.entries.items() if entry.place
    }
    assert {path.name for path in dataset.shard_paths()} == {Path(key).name for key in after.shards}
    assert after.superseded_samples() == {}
    splits = {
        name: before.shards[e.place.shard].split for name, e in before.entries.items() if e.place
    }
    assert splits == {
        name: after.shards[e.place.shard].split for name, e in after.entries.items() if e.place
    }
    assert dataset.upkeep("verify").lines[-1]["indexed"] == 23
    assert dataset.upkeep("compact").lines[-1]["removed"] == 0


def test_crumbs_become_one_shard(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path)
    for number in range(3):
        dataset.run(pictures(4, first=4 * number))
    assert len(dataset.index().shards) == 3
    assert dataset.upkeep("compact").code == 0
    index = dataset.index()
    (shard,) = index.shards.values()
    assert shard.samples == len(samples_of(dataset, index)) == 12
    assert shard.pixels.pixels == 12 * 32 * 32


def test_damaged_shard_is_not_compacted(dataset: Dataset) -> None:
    paths = sorted(dataset.shard_paths())
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    ended = dataset.upkeep("compact")
    assert ended.code == 2
    assert "is damaged" in ended.errors
    assert sorted(dataset.shard_paths()) == paths


def test_compaction_that_dies_anywhere_loses_nothing_and_is_finished_by_the_next(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    wanted = {name: entry.place for name, entry in dataset.index().entries.items()}
    digests = {name: place.sha256 for name, place in wanted.items() if place}
    steps = 0

    def counted(step: int, original: object) -> object:
        def write(*arguments: object) -> object:
            nonlocal steps
            steps += 1
            if steps == step:
                raise TryAgainError("died")
            return original(*arguments)  # type: ignore[operator]

        return write

    for step in range(1, 40):
        steps = 0
        with monkeypatch.context() as patch:
            for name in ("write_file", "write_document"):
                patch.setattr(Store, name, counted(step, getattr(Store, name)))
            patch.setattr(
                "imagemill_worker.dataset.store.DatasetStore.remove",
                counted(step, _removed_one_by_one),
            )
            try:
                compact(dataset.output.as_uri(), threading.Event())
                break
            except TryAgainError:
                pass
        index = dataset.index()
        assert {n: e.place.sha256 for n, e in index.entries.items() if e.place} == digests
        for entry in index.entries.values():
            assert entry.place
            assert (dataset.output / entry.place.shard).is_file()
    assert steps < step, "it never came to its end"
    index = dataset.index()
    assert set(samples_of(dataset, index)) == set(digests)
    assert {path.name for path in dataset.shard_paths()} == {Path(key).name for key in index.shards}
    assert index.superseded_samples() == {}


def _removed_one_by_one(dataset: DatasetStore, removed: list[str]) -> None:
    for key in removed:
        Path(dataset.output.folder, key).unlink(missing_ok=True)


def test_files_are_those_of_the_compacted_dataset(dataset: Dataset) -> None:
    dataset.upkeep("compact")
    card = (dataset.output / keys.DATASET_CARD).read_text()
    assert '"superseded": {\n    "samples": 0,\n    "shards": 0\n  }' in card
    (table,) = (dataset.output / keys.INDEX_TABLE).iterdir()
    assert table.read_bytes().startswith(b"PAR1")
    assert (dataset.output / keys.DATASET_README).exists()
