from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from obstore.store import ObjectStore

import imagemill_app.bucket_listing
from imagemill_app.bucket_listing import listed_objects
from imagemill_app.stores import store_of

parts = st.text("-.0z~é", min_size=1, max_size=4)
names = st.sets(st.lists(parts, min_size=1, max_size=3).map("/".join), max_size=60)


class Store:
    """Lists keys as obstore does: in order, after an offset whose last slash is taken off."""

    def __init__(self, keys: set[str], page: int) -> None:
        self.keys, self.page = sorted(keys), page
        self.pages_read = 0

    def list(
        self, prefix: str | None, *, offset: str | None, chunk_size: int
    ) -> Iterator[list[dict[str, Any]]]:
        first = bisect_right(self.keys, offset.rstrip("/")) if offset else 0
        for start in range(first, len(self.keys), self.page):
            self.pages_read += 1
            yield [
                {"path": key.removesuffix("/"), "e_tag": '"e"', "size": 1}
                for key in self.keys[start : start + self.page]
                if key.startswith(prefix or "")
            ]


def store_with(keys: set[str], page: int) -> ObjectStore:
    return cast(ObjectStore, Store(keys, page))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagemill_app.bucket_listing, "PAGE_OBJECTS", 2)
    monkeypatch.setattr(imagemill_app.bucket_listing, "PAGES_BEFORE_A_CUT", 2)


@pytest.mark.usefixtures("small_pages")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names)
@example({"~0~z.", "0", ".-z", "0z/z", "~./~-"})  # a cut that ended in a slash
def test_every_key_is_listed_once_and_in_order(relative: set[str]) -> None:
    keys = {"full/" + name for name in relative}
    listed = listed_objects(store_with(keys, 2), "full/")
    assert [item.key for item in listed] == sorted(keys)


def test_folder_object_at_the_end_of_a_page_repeats_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = []
    for page in range(1, 9):
        monkeypatch.setattr(imagemill_app.bucket_listing, "PAGE_OBJECTS", page)
        keys = {"full/a", "full/a-b", "full/a.b", "full/a/", "full/a/b", "full/b/", "full/b/c"}
        listed.append([item.key for item in listed_objects(store_with(keys, page), "full/")])
    paths = ["full/a", "full/a-b", "full/a.b", "full/a/b", "full/b", "full/b/c"]
    assert listed == [paths] * 8


def test_small_source_is_listed_by_one_request() -> None:
    store = Store({"full/a", "full/b"}, page=1000)
    assert len(listed_objects(cast(ObjectStore, store), "full/")) == 2
    assert store.pages_read == 1


def test_many_keys_cost_few_requests_more_than_their_pages() -> None:
    keys = {f"full/{number * 2654435761 % 2**32:08x}.jpg" for number in range(60_000)}
    store = Store(keys, page=1000)
    assert len(listed_objects(cast(ObjectStore, store), "full/")) == len(keys)
    assert store.pages_read < 60 + 60


@pytest.mark.usefixtures("small_pages")
def test_bucket_is_listed_with_etags_and_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="listed-bucket")
        keys = [f"full/{a}{mark}{b}" for a in "az" for mark in " +%.-é/" for b in "01é"]
        for key in [*keys, "full", "other/a", "full0"]:
            s3.put_object(Bucket="listed-bucket", Key=key, Body=b"12345")
        store_of.cache_clear()
        listed = listed_objects(store_of("s3://listed-bucket"), "full/")
    finally:
        store_of.cache_clear()
        server.stop()
    assert [item.key for item in listed] == sorted(keys)
    assert {(item.etag, item.bytes) for item in listed} == {("827ccb0eea8a706c4c34a16891f84e7b", 5)}
