"""Source objects against the MD5 that S3 knows: what is proven, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5

import pytest

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import PictureError
from imagemill_worker.stores.opening import open_store
from imagemill_worker.stores.source_md5 import SourceProof
from imagemill_worker.stores.store import Store
from tests.helpers.faults.kinds import FlipBits
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import Operation
from tests.helpers.s3_jobs import client_of

BODY = bytes(range(256)) * 100


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with MemoryS3() as s3, FaultProxy(s3.endpoint_url, seed=3) as running:
        client = client_of(s3.endpoint_url, CREDENTIALS)
        for number in range(20):
            client.put_object(Bucket="bucket", Key=f"{number}.jpg", Body=BODY + bytes([number]))
        yield running


@pytest.fixture
def store(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return open_store(
        Location.parse("s3://bucket/", "test"), {"AWS_ENDPOINT_URL": proxy.endpoint_url}
    )


def item(number: int, etag: str | None = None) -> SourceObject:
    body = BODY + bytes([number])
    digest = md5(body, usedforsecurity=False).hexdigest()
    return SourceObject(f"{number}.jpg", etag or digest, len(body))


def test_a_bit_that_is_flipped_on_its_way_is_found_and_the_object_read_again(
    store: Store, proxy: FaultProxy
) -> None:
    flips = proxy.add(FlipBits(first=2, each_key=True))
    proof = SourceProof()
    for number in range(5):
        assert bytes(proof.read(store, item(number))) == BODY + bytes([number])
    assert flips.count == 10
    assert (proof.proven, proof.unprovable) == (5, 0)


def test_an_object_that_never_comes_whole_is_a_failure(store: Store, proxy: FaultProxy) -> None:
    proxy.add(FlipBits(pattern="3.jpg"))
    with pytest.raises(PictureError) as caught:
        SourceProof().read(store, item(3))
    assert (caught.value.reason, caught.value.status) == (Reason.DAMAGED, Status.FAILED)


def test_an_etag_of_parts_proves_nothing_and_costs_nothing(
    store: Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Store, "read_object", lambda self, item: memoryview(bytes(self.objects.get(item.key)))
    )
    proof = SourceProof()
    proof.read(store, item(0, "d41d8cd98f00b204e9800998ecf8427e-2"))
    assert (proof.proven, proof.unprovable) == (0, 1)
    assert proxy.count(Operation.GET, "0.jpg") == 1


def test_an_etag_of_an_encrypted_object_is_told_from_a_damaged_body(
    store: Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like an MD5; the same bytes come twice, and soon nothing is read twice any more."""
    monkeypatch.setattr(
        Store, "read_object", lambda self, item: memoryview(bytes(self.objects.get(item.key)))
    )
    proof = SourceProof()
    for number in range(12):
        body = proof.read(store, item(number, "0123456789abcdef0123456789abcdef"))
        assert bytes(body) == BODY + bytes([number])
    assert (proof.proven, proof.unprovable) == (0, 12)
    assert proxy.totals[Operation.GET] == 12 + 5
