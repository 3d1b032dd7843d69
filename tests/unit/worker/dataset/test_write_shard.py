"""One dataset shard, written whole or not at all, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest

from imagemill_contract.locations import Location
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.names import EXTENSIONS
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.write_shard import Member, ShardWriter
from imagemill_worker.errors import TryAgainError
from imagemill_worker.picture.edges import edge_map, encoded_edges, pixel_sums
from imagemill_worker.stores.opening import open_store
from imagemill_worker.stores.store import Store
from tests.helpers.pictures import jpeg

LARGEST_BYTES = 100_000


def member(number: int) -> Member:
    picture = jpeg(60 + number, 40)
    edge = encoded_edges(edge_map(picture, Recipe()))
    digest = sha256(picture).hexdigest()
    size = (60 + number, 40)
    sample = Sample(f"{number}", f"{number}.jpg", picture, "jpg", edge, *size, digest)
    return Member(sample, pixel_sums(picture))


MEMBERS = [member(number) for number in range(5)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    location = Location.of_folder(PurePosixPath(tmp_path))
    return open_store(location, {"ALLOW_FILE_URIS": "true"})


def key_of(output: Output) -> str:
    return f"dataset/images-train-0a1b2c3d-00000-0000{EXTENSIONS[output]}"


def write(writer: ShardWriter, output: Output = Output.WEBDATASET) -> DatasetShard:
    return writer.write(key_of(output), "train", iter(MEMBERS), LARGEST_BYTES)


@pytest.mark.parametrize("output", EXTENSIONS)
def test_shard_says_what_its_file_holds(store: Store, tmp_path: Path, output: Output) -> None:
    shard = write(ShardWriter(store, "below/"), output)
    path = tmp_path / "below" / shard.key
    body = path.read_bytes()
    assert (shard.key, shard.split, shard.samples) == (key_of(output), "train", len(MEMBERS))
    assert (shard.bytes, shard.sha256) == (len(body), sha256(body).hexdigest())
    assert shard.pixels == PixelSums.total(one.pixels for one in MEMBERS)
    with path.open("rb") as file:
        assert list(dataset_format(output).read(file)) == [one.sample for one in MEMBERS]
    assert write(ShardWriter(store, "below/"), output) == shard


def test_shard_that_is_proven_already_is_not_written_again(store: Store, tmp_path: Path) -> None:
    shard = write(ShardWriter(store, ""))
    (tmp_path / shard.key).unlink()
    assert write(ShardWriter(store, "", lambda found: found == shard)) == shard
    assert not (tmp_path / shard.key).exists()
    other = replace(shard, sha256="0" * 64)
    assert write(ShardWriter(store, "", lambda found: found == other)) == shard
    assert (tmp_path / shard.key).exists()


def test_shard_whose_members_fail_is_not_there(store: Store, tmp_path: Path) -> None:
    def broken() -> Iterator[Member]:
        yield from MEMBERS[:3]
        raise TryAgainError("The job was told to stop.")

    with pytest.raises(TryAgainError, match="told to stop"):
        ShardWriter(store, "").write(key_of(Output.PARQUET), "train", broken(), LARGEST_BYTES)
    assert list(tmp_path.rglob("*.*")) == []


def test_shard_that_is_written_damaged_asks_for_another_attempt(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_file = Store.write_file

    def damaging(self: Store, key: str, file: BinaryIO) -> None:
        write_file(self, key, file)
        path = tmp_path / key
        body = bytearray(path.read_bytes())
        body[len(body) // 2] ^= 1
        path.write_bytes(body)

    monkeypatch.setattr(Store, "write_file", damaging)
    with pytest.raises(TryAgainError, match="was read back damaged"):
        write(ShardWriter(store, ""))
