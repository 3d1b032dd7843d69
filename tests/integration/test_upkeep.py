"""Datasets are repaired and compacted after runs that were killed, and beside runs that go on."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pytest
from arro3.io import read_parquet

from imagemill.local_stack import LocalStack
from imagemill_contract.keys import DATASET, INTERMEDIATE, JOURNAL, OPEN_RUNS, UPKEEP
from imagemill_contract.locations import Location
from imagemill_worker.dataset.compact import compact
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.stores.store import Store
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, start
from tests.helpers.tool import imagemill, killed_run
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

MANY = 120
OPTIONS = ("--output", "webdataset", "--size", "384", "--shard-bytes", "100kB")


def address_of(folder: Path) -> str:
    return str(Location.of_folder(PurePosixPath(folder)))


def samples_in(out: Path) -> dict[str, str]:
    """The digest of each sample that the card names; none is there twice."""
    card = json.loads((out / "dataset/dataset.json").read_text("utf-8"))
    found: dict[str, str] = {}
    for shard in card["shards"]:
        with (out / shard["key"]).open("rb") as file:
            for sample in dataset_format(card["format"]).read(file):
                assert sample.filename not in found
                found[sample.filename] = sample.sha256
    return found


def samples_in_index(out: Path) -> dict[str, str]:
    """The digest that the table beside the shards has of each sample."""
    found: dict[str, str] = {}
    for path in (out / "dataset/index.parquet").iterdir():
        rows: Any = read_parquet(path).read_all().to_struct_array()
        found |= {row["source_key"]: row["sha256"] for row in rows.to_pylist() if row["shard"]}
    return found


def shards_in(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.glob(f"{DATASET}*.tar")}


def test_what_a_killed_run_has_left_is_removed_when_it_is_not_to_be_taken_over(
    tmp_path: Path,
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "000.jpg").write_bytes(cut(1, scale=4))
    for number in range(1, MANY):
        (photos / f"{number:03}.jpg").hardlink_to(photos / "000.jpg")
    run_id = killed_run(photos, out, *OPTIONS, when=lambda: len(shards_in(out)) >= 2)
    left = shards_in(out)
    assert len(left) >= 2

    checked = imagemill("verify", out)
    assert checked.returncode == 0, checked.stderr
    assert f"Runs without a report, going on or stopped: {run_id}." in checked.stdout
    for command, words in (
        (("verify", out, "--repair"), f"{run_id} has no report yet."),
        (("compact", out), "There are no dataset shards at "),
    ):
        refused = imagemill(*command)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"imagemill: OUT: {words}")
    assert left <= shards_in(out)

    repaired = imagemill("verify", out, "--repair", "--force")
    assert repaired.returncode == 0, repaired.stderr
    assert all(f"removed: {key}" in repaired.stdout for key in left)
    for folder in (DATASET, INTERMEDIATE, JOURNAL, OPEN_RUNS, UPKEEP):
        assert not list((out / folder).rglob("*"))

    again = imagemill("run", photos, out, *OPTIONS)
    assert again.returncode == 0, again.stderr
    assert len(samples_in(out)) == MANY
    whole = imagemill("verify", out / "dataset")
    assert whole.returncode == 0
    assert f"with {MANY} samples are whole" in whole.stdout


@pytest.fixture
def request_of_growth(stack: LocalStack, tmp_path: Path) -> dict[str, Any]:
    """A dataset of ten pictures, of which two have changed since, and two are new."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(10):
        (photos / f"{number}.jpg").write_bytes(cut(number))
    out.mkdir()
    places = {"source": address_of(photos), "output": address_of(out)}
    request = {**places, "recipe": {"size": 48, "output": "webdataset"}}
    assert ended(start(stack, request)).result()["verdict"] == "succeeded"
    for number in range(8, 12):
        (photos / f"{number}.jpg").write_bytes(cut(number + 50))
    return request


def test_compaction_is_refused_beside_a_run_and_does_its_work_afterwards(
    stack: LocalStack,
    tmp_path: Path,
    request_of_growth: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    out = tmp_path / "out"
    run = start(stack, request_of_growth)
    until(lambda: list(out.glob(f"{OPEN_RUNS}*")), "the run is planned", 0.01)
    for path in (out, out / "dataset"):
        with pytest.raises(ArgumentsError, match=f"^{run.run_id} has no report yet"):
            compact(address_of(path), threading.Event())
    assert ended(run).result()["verdict"] == "succeeded"
    grown = samples_in_index(out)
    compacted = imagemill("compact", out)
    assert compacted.returncode == 0, compacted.stderr
    assert "2 superseded samples are gone" in compacted.stdout
    assert samples_in(out) == grown
    assert len(shards_in(out)) == 1


def test_run_that_begins_and_ends_during_a_compaction_loses_nothing(
    stack: LocalStack,
    tmp_path: Path,
    request_of_growth: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    out = tmp_path / "out"
    assert ended(start(stack, request_of_growth)).result()["verdict"] == "succeeded"
    write_file, is_midway, may_go_on = Store.write_file, threading.Event(), threading.Event()

    def held(store: Store, key: str, file: BinaryIO) -> None:
        is_midway.set()
        may_go_on.wait()
        write_file(store, key, file)

    monkeypatch.setattr(Store, "write_file", held)
    with ThreadPoolExecutor(1) as pool:
        compaction = pool.submit(compact, address_of(out), threading.Event())
        try:
            until(lambda: is_midway.is_set() or compaction.done(), "the compaction is midway")
            for number in range(2):
                (tmp_path / "photos" / f"{number}.jpg").write_bytes(cut(number + 70))
            (tmp_path / "photos" / "new.jpg").write_bytes(cut(80))
            beside = ended(start(stack, request_of_growth)).result()
            refused = imagemill("compact", out)
        finally:
            may_go_on.set()
        compaction.result()
    assert beside["verdict"] == "succeeded"
    assert beside["stages"]["edge"]["written"] == 3
    assert refused.returncode == 2
    assert "imagemill compact is at work there already" in refused.stderr
    grown = samples_in_index(out)
    assert len(grown) == 13
    assert imagemill("verify", out).returncode == 0
    assert imagemill("compact", out).returncode == 0
    assert samples_in(out) == grown
    assert len(shards_in(out)) == 1
    nothing = ended(start(stack, request_of_growth)).result()
    assert nothing["sentence"].startswith("Nothing to do")
