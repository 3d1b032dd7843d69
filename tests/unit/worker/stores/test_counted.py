"""What is counted is what S3 has seen, also of listings and uploads in parts."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from imagemill_contract.reporting.request_counts import RequestCounts
from imagemill_worker.stores.counted import CountedObjects
from imagemill_worker.stores.faults import StoreFault
from imagemill_worker.stores.s3 import PART_BYTES, S3Objects
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.priced import priced

BUCKET = "bucket"


@pytest.fixture
def seen() -> Iterator[tuple[MemoryS3, FaultProxy, CountedObjects]]:
    with MemoryS3() as s3, FaultProxy() as proxy:
        proxy.upstream = s3.endpoint_url
        env = {**CREDENTIALS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": proxy.endpoint_url}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            yield s3, proxy, CountedObjects(S3Objects(BUCKET, env), RequestCounts())


@pytest.mark.parametrize("length", [1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 5])
def test_a_file_is_as_many_requests_as_it_has_parts(
    seen: tuple[MemoryS3, FaultProxy, CountedObjects], length: int
) -> None:
    _, proxy, objects = seen
    objects.put_file("file", io.BytesIO(bytes(length)))
    assert objects.counts.so_far() == priced(proxy)


def test_every_other_request_is_counted_once(
    seen: tuple[MemoryS3, FaultProxy, CountedObjects],
) -> None:
    _, proxy, objects = seen
    objects.put("a", b"1")
    objects.create("b", b"2")
    assert not objects.create("b", b"3")
    objects.get("a")
    objects.head("a")
    objects.fetch("b", io.BytesIO())
    with pytest.raises(StoreFault):
        objects.get("missing")
    assert objects.keys("") == ["a", "b"]
    objects.remove(["a", "b"])
    assert objects.counts.so_far() == priced(proxy)
    assert priced(proxy) == {"delete": 1, "get": 4, "list": 1, "put": 3}


@pytest.mark.parametrize("count", [0, 1000, 1001])
def test_a_long_list_is_several_requests(
    seen: tuple[MemoryS3, FaultProxy, CountedObjects], count: int
) -> None:
    s3, proxy, objects = seen
    s3.objects.update({(BUCKET, f"{number:06d}"): b"" for number in range(count)})
    assert len(objects.keys("")) == count
    assert objects.counts.so_far() == priced(proxy)
