"""Where a lane reads its pictures and puts its products."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import pytest

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import PictureError, TryAgainError
from imagemill_worker.lanes.lane_io import FileSource, SpoolSink, StoreSink, StoreSource
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.spool import SpoolWriter, temporary_file
from imagemill_worker.stores.opening import open_store
from imagemill_worker.stores.store import Store

BODY = b"a picture of some bytes"
DIGEST = hashlib.sha256(BODY).hexdigest()


def task(name: str = "a.jpg", size: int = len(BODY), digest: str = "", offset: int = 0) -> Task:
    return Task(f"key of {name}", SourceObject(name, "", size), "out/a.jpg", digest, offset)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    location = Location.of_folder(PurePosixPath(tmp_path))
    return open_store(location, {"ALLOW_FILE_URIS": "true"})


def test_object_of_a_store_is_read_whole(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(BODY)
    assert bytes(StoreSource(store).read(task())) == BODY
    assert bytes(StoreSource(store).read(task(digest=DIGEST))) == BODY


def test_object_without_bytes_is_not_even_asked_for(store: Store) -> None:
    with pytest.raises(PictureError) as caught:
        StoreSource(store).read(task("not there", size=0))
    assert caught.value.reason is Reason.EMPTY


def test_what_is_not_what_was_written_is_no_picture(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(BODY[::-1])
    with pytest.raises(PictureError) as caught:
        StoreSource(store).read(task(digest=DIGEST))
    assert caught.value.reason is Reason.DAMAGED


def test_picture_of_an_intermediate_shard_lies_at_its_offset() -> None:
    with temporary_file() as file:
        file.write(b"before" + BODY + b"behind")
        file.flush()
        source = FileSource(file.fileno())
        assert source.read(task(digest=DIGEST, offset=6)) == BODY
        with pytest.raises(TryAgainError, match=r"'key of a\.jpg' came damaged"):
            source.read(task(digest=DIGEST, offset=5))


def test_product_is_written_under_its_key(store: Store, tmp_path: Path) -> None:
    put = StoreSink(store).write(task(), BODY)
    assert (tmp_path / "out/a.jpg").read_bytes() == BODY
    assert put.offset is None


def test_product_that_is_packed_later_is_spooled() -> None:
    with temporary_file() as file:
        sink = SpoolSink(SpoolWriter(file.fileno()))
        offsets = [sink.write(task(), body).offset for body in (BODY, b"", b"next")]
        assert offsets == [0, len(BODY), len(BODY)]
        file.seek(0)
        assert file.read() == BODY + b"next"
