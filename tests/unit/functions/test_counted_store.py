"""The handlers' requests are counted as S3 has seen them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagemill_app import stores
from imagemill_app.counted_store import PART_BYTES
from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.swaps import find, swap
from imagemill_contract.locations import Location
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.priced import priced

OUTPUT = Location("s3://bucket", "out/")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    with MemoryS3() as s3, FaultProxy() as proxy:
        proxy.upstream = s3.endpoint_url
        env = {**CREDENTIALS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": proxy.endpoint_url}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        s3.objects.update({("bucket", f"out/many/{n:06d}"): b"" for n in range(2_001)})
        stores.store_of.cache_clear()
        yield proxy
        stores.store_of.cache_clear()


def test_what_a_handler_has_used_is_what_s3_has_seen(proxy: FaultProxy) -> None:
    meter = HandlerMeter(512)
    stores.write_bytes(OUTPUT, "a", b"1")
    stores.write_bytes(OUTPUT, "long", bytes(2 * PART_BYTES + 1))
    assert stores.create_bytes(OUTPUT, "b", b"2")
    assert stores.read_bytes(OUTPUT, "a") == b"1"
    assert stores.length_of(OUTPUT, "missing") is None
    assert swap(OUTPUT, "list", b"1", find(OUTPUT, "list"))
    assert len(stores.list_keys(OUTPUT, "many/")) == 2_001
    stores.remove(OUTPUT, ["a", "b"])
    used = meter.used()
    assert used.requests == priced(proxy)
    assert used.requests["put"] == 1 + 5 + 1 + 1
    assert used.invocations == 1
    assert used.gb_seconds > 0


def test_a_handler_counts_only_its_own_requests(proxy: FaultProxy) -> None:
    stores.write_bytes(OUTPUT, "a", b"1")
    meter = HandlerMeter(512)
    assert meter.used().requests == {}
    stores.read_bytes(OUTPUT, "a")
    assert meter.used().requests == {"get": 1}
    assert proxy.totals.total() == 2


def test_parts_that_are_read_from_the_store_are_written_there(proxy: FaultProxy) -> None:
    meter = HandlerMeter(512)
    stores.write_bytes(OUTPUT, "part", bytes(PART_BYTES))
    parts = (stores.read_bytes(OUTPUT, "part") for _ in range(2))
    stores.write_parts(OUTPUT, "whole", parts)
    assert stores.length_of(OUTPUT, "whole") == 2 * PART_BYTES
    stores.write_parts(OUTPUT, "empty", [])
    assert stores.read_bytes(OUTPUT, "empty") == b""
    assert meter.used().requests == priced(proxy)


def test_parts_that_cannot_be_had_leave_no_torn_object(proxy: FaultProxy) -> None:
    def parts() -> Iterator[bytes]:
        yield bytes(2 * PART_BYTES)
        raise FileNotFoundError("the rest is gone")

    with pytest.raises(FileNotFoundError, match="the rest is gone"):
        stores.write_parts(OUTPUT, "torn", parts())
    assert stores.length_of(OUTPUT, "torn") is None
