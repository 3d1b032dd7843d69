"""Objects of a bucket: one try for each request, and large files in parts."""

from __future__ import annotations

import io
from collections.abc import Iterator

import boto3
import pytest

from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.s3 import PART_BYTES, S3Objects, check_length
from tests.helpers.faults.kinds import ErrorAnswer, FlipBits, Truncate
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3, etag_of
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import Operation


@pytest.fixture(scope="module")
def s3() -> Iterator[MemoryS3]:
    with MemoryS3() as running:
        yield running


@pytest.fixture
def proxy(s3: MemoryS3) -> Iterator[FaultProxy]:
    s3.objects.clear()
    with FaultProxy(s3.endpoint_url) as running:
        yield running


@pytest.fixture
def objects(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> S3Objects:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of others
    return S3Objects("bucket", {**CREDENTIALS, "AWS_ENDPOINT_URL": proxy.endpoint_url})


@pytest.mark.parametrize("key", ["a.jpg", "ü b/c+d%20.png", "odd//key", "tab\tbed"])
def test_object_is_read_as_it_was_written_also_by_its_etag(
    objects: S3Objects, s3: MemoryS3, key: str
) -> None:
    etag = objects.put(key, b"body")
    assert etag == etag_of(b"body").strip('"')
    assert s3.objects["bucket", key] == b"body"
    assert bytes(objects.get(key)) == bytes(objects.get(key, etag)) == b"body"
    objects.head(key)


def test_another_etag_is_another_object(objects: S3Objects) -> None:
    objects.put("a.jpg", b"body")
    with pytest.raises(StoreFault) as caught:
        objects.get("a.jpg", "0" * 32)
    assert caught.value.kind is FaultKind.CHANGED


@pytest.mark.parametrize("method", ["get", "head"])
def test_object_that_is_not_there_is_gone(objects: S3Objects, method: str) -> None:
    with pytest.raises(StoreFault) as caught:
        getattr(objects, method)("nothing.jpg")
    assert caught.value.kind is FaultKind.GONE


def test_every_request_for_a_picture_is_tried_once(objects: S3Objects, proxy: FaultProxy) -> None:
    rule = proxy.add(ErrorAnswer(status=503, code="SlowDown"))
    for ask in (
        lambda: objects.get("a.jpg"),
        lambda: objects.put("a.jpg", b"body"),
        lambda: objects.head("a.jpg"),
    ):
        with pytest.raises(StoreFault) as caught:
            ask()
        assert caught.value.kind is FaultKind.PASSING
    assert rule.count == 3


def test_body_that_is_short_is_no_body(objects: S3Objects, proxy: FaultProxy) -> None:
    objects.put("a.jpg", bytes(10_000))
    proxy.add(Truncate(first=1))
    with pytest.raises(StoreFault) as caught:
        objects.get("a.jpg")
    assert caught.value.kind is FaultKind.PASSING


@pytest.mark.parametrize("length", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 5])
def test_file_of_any_length_goes_and_comes_whole(
    objects: S3Objects, proxy: FaultProxy, length: int
) -> None:
    body = bytes(range(251)) * (length // 251 + 1)
    objects.put_file("shard.tar", io.BytesIO(body[:length]))
    assert proxy.totals[Operation.CREATE_UPLOAD] == (length > PART_BYTES)
    assert proxy.totals[Operation.PUT_PART] == (
        -(-length // PART_BYTES) if length > PART_BYTES else 0
    )
    fetched = io.BytesIO(b"before")
    fetched.seek(6)
    objects.fetch("shard.tar", fetched)
    assert fetched.getvalue() == b"before" + body[:length]


def test_wrong_bits_come_through_and_are_for_others_to_find(
    objects: S3Objects, proxy: FaultProxy
) -> None:
    """S3 is read over TLS: who must be sure compares digests, as `Store.read_object` does."""
    objects.put("a.jpg", b"body")
    proxy.add(FlipBits())
    assert bytes(objects.get("a.jpg")) != b"body"


def test_keys_are_listed_in_order_and_removed(objects: S3Objects) -> None:
    for name in ("b/2", "a", "b/1", "c"):
        objects.put(name, b"x")
    assert objects.keys("") == ["a", "b/1", "b/2", "c"]
    assert objects.keys("b/") == ["b/1", "b/2"]
    objects.remove(["b/1", "c", "not there"])
    assert objects.keys("") == ["a", "b/2"]


def test_length_that_differs_is_a_fault_that_passes() -> None:
    check_length(5, 5)
    with pytest.raises(StoreFault, match="3 of 5 bytes came") as caught:
        check_length(3, 5)
    assert caught.value.kind is FaultKind.PASSING
