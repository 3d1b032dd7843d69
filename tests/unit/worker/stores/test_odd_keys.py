"""Keys that S3 takes and obstore cannot name are read and written by boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.odd_keys import OddKeys
from tests.helpers.faults.kinds import ErrorAnswer, Truncate
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3, etag_of
from tests.helpers.faults.proxy import FaultProxy

KEYS = ["a//b.jpg", "/lead.jpg", "a/./b.jpg", "a/../b.jpg", "tab\tbed", "line\nbreak", "ü//é"]


@pytest.fixture(scope="module")
def s3() -> Iterator[MemoryS3]:
    with MemoryS3() as running:
        yield running


@pytest.fixture
def proxy(s3: MemoryS3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint_url) as running:
        yield running


@pytest.fixture
def objects(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> OddKeys:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of others
    return OddKeys("bucket", proxy.endpoint_url)


@contextmanager
def fault_of(kind: FaultKind, code: str) -> Iterator[None]:
    with pytest.raises(StoreFault) as caught:
        yield
    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize("key", KEYS)
def test_object_is_written_and_read_under_its_very_key(
    objects: OddKeys, s3: MemoryS3, key: str
) -> None:
    etag = objects.put(key, b"body", "image/jpeg")
    assert s3.objects["bucket", key] == b"body"
    assert etag == etag_of(b"body").strip('"')
    assert bytes(objects.get(key)) == bytes(objects.get(key, etag)) == b"body"
    objects.head(key)


def test_object_that_is_gone_or_another_is_told_apart(objects: OddKeys, s3: MemoryS3) -> None:
    with fault_of(FaultKind.GONE, "NoSuchKey"):
        objects.get("not//there")
    with fault_of(FaultKind.GONE, "404"):
        objects.head("not//there")
    s3.objects["bucket", "a//b"] = b"another"
    with fault_of(FaultKind.CHANGED, "PreconditionFailed"):
        objects.get("a//b", "0" * 32)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", FaultKind.PASSING),
        (500, "InternalError", FaultKind.PASSING),
        (403, "AccessDenied", FaultKind.DENIED),
        (400, "KMS.DisabledException", FaultKind.REFUSED),
        (400, "ExpiredToken", FaultKind.OF_ALL),
    ],
)
def test_error_of_s3_is_told_by_its_code_after_one_try(
    objects: OddKeys, proxy: FaultProxy, status: int, code: str, kind: FaultKind
) -> None:
    rule = proxy.add(ErrorAnswer(status=status, code=code))
    with fault_of(kind, code):
        objects.get("a//b")
    with fault_of(kind, code):
        objects.put("a//b", b"body", "image/jpeg")
    assert rule.count == 2


def test_body_that_ends_early_is_a_fault_that_passes(
    objects: OddKeys, s3: MemoryS3, proxy: FaultProxy
) -> None:
    s3.objects["bucket", "a//b"] = bytes(10_000)
    proxy.add(Truncate())
    with fault_of(FaultKind.PASSING, "NoAnswer"):
        objects.get("a//b")
