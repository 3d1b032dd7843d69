"""A shard is damaged if it is read so again and again, or is not there; an index, if it says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from imagemill_dataset.index import Entry, Index, IndexedRun, Place
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset import damage
from imagemill_worker.dataset.damage import damaged_shards, doubled_places
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.stores.store import Store

KEY = "dataset/a.tar"
RUN = IndexedRun("run-1", "2026-11-23T10:00:00.000Z", "s3://b/full/", {})


def sample(position: int) -> Entry:
    return Entry("e", None, RUN, place=Place(KEY, position, 8, 8, 9, 3, "ab" * 32))


def index_of(*positions: int) -> Index:
    entries = {f"{number}.jpg": sample(position) for number, position in enumerate(positions)}
    shard = DatasetShard(KEY, "train", 2, 10, "cd" * 32, PixelSums())
    return Index(entries, {KEY: shard})


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
    assert list(damaged_shards(dataset, index_of(0, 1), threading.Event())) == found


def test_shard_that_is_not_there_is_asked_for_once(
    dataset: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def gone(_store: Store, key: str, _file: BinaryIO) -> None:
        asked.append(key)
        raise ArgumentsError("It is not there.")

    monkeypatch.setattr(Store, "fetch_file", gone)
    assert list(damaged_shards(dataset, index_of(0), threading.Event())) == [
        (KEY, "It is not there.")
    ]
    assert asked == [KEY]


def test_check_ends_when_the_process_is_told_to_stop(dataset: DatasetStore) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TryAgainError, match="told to stop"):
        list(damaged_shards(dataset, index_of(0), stopping))


def test_two_samples_at_one_place_are_found() -> None:
    assert list(doubled_places(index_of(0, 1))) == []
    detail = "The index has two samples at position 1; one is '2.jpg'."
    assert list(doubled_places(index_of(0, 1, 1))) == [(KEY, detail)]
