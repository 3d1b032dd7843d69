"""A shard is damaged if it is read so again and again, or is not there; an index, if it says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset import damage
from imagemill_worker.dataset.damage import IndexedSamples, damaged_shards
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.progress import Pace
from imagemill_worker.stores.store import Store

KEY = "dataset/a.tar"
RUN = IndexedRun("run-1", "2026-11-23T10:00:00.000Z", "s3://b/full/", {})


def sample(position: int) -> Entry:
    return Entry("e", None, RUN, place=Place(KEY, position, 8, 8, 9, 3, "ab" * 32))


def indexed(*positions: int) -> IndexedSamples:
    rows = ((f"{number}.jpg", sample(position)) for number, position in enumerate(positions))
    shard = DatasetShard(KEY, "train", 2, 10, "cd" * 32, PixelSums())
    return IndexedSamples.of_rows(rows, {KEY: shard})


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetStore:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    monkeypatch.setattr(DatasetStore, "keys", lambda *_: [KEY])
    monkeypatch.setattr(Store, "fetch_file", lambda *_: None)
    return DatasetStore.open(tmp_path.as_uri())


def check_that(*ends: str) -> Callable[..., None]:
    """A check of a shard that ends so, one time after the other."""
    left = iter(ends)

    def check(_file: BinaryIO, _shard: DatasetShard, _digests: object) -> None:
        detail = next(left)
        if detail:
            raise DamagedShardError(detail)

    return check


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        (("",), []),
        (("flipped", ""), []),
        (("flipped", "flipped", ""), []),
        (("flipped", "flipped", "for good"), [(KEY, "for good")]),
    ],
)
def test_shard_is_read_three_times_before_it_is_damaged(
    ends: tuple[str, ...],
    found: list[tuple[str, str]],
    dataset: DatasetStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(damage, "check_shard", check_that(*ends))
    assert list(damaged_shards(dataset, indexed(0, 1), threading.Event())) == found


def test_shard_that_is_not_there_is_asked_for_once(
    dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def gone(_store: Store, key: str, _file: BinaryIO) -> None:
        asked.append(key)
        raise ArgumentsError("It is not there.")

    monkeypatch.setattr(Store, "fetch_file", gone)
    assert list(damaged_shards(dataset, indexed(0), threading.Event())) == [
        (KEY, "It is not there.")
    ]
    assert asked == [KEY]


def test_check_ends_when_the_process_is_told_to_stop(dataset: DatasetStore) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TryAgainError, match="told to stop"):
        list(damaged_shards(dataset, indexed(0), stopping))


def test_two_samples_at_one_place_are_found() -> None:
    assert indexed(0, 1).doubled == {}
    detail = "The index has two samples at position 1; one is '2.jpg'."
    assert indexed(0, 1, 1).doubled == {KEY: detail}


def test_digests_are_those_of_the_samples_that_count() -> None:
    found = indexed(1, 7)  # the second is beyond the end of the shard
    assert dict(found.digests[KEY]) == {1: "ab" * 32}
    assert found.digests[KEY].get(0, "unknown") == "unknown"
    assert (found.living.total(), found.superseded()) == (2, 0)


def test_check_of_many_shards_says_now_and_then_how_far_it_is(
    dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(damage, "check_shard", check_that(""))
    monkeypatch.setattr(Pace, "is_time", lambda _: True)
    assert list(damaged_shards(dataset, indexed(0), threading.Event())) == []
    assert json.loads(capsys.readouterr().out) == {"event": "checking", "done": 0, "shards": 1}
