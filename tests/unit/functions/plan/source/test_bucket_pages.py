"""A bucket as obstore lists it from moto's server, in ranges and with folder objects."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

import imagemill_app.counted_store
from imagemill_app.plan.source.bucket_pages import pages_after
from imagemill_app.plan.source.key_ranges import list_in_ranges
from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest

BUCKET = "listed-bucket"
SOURCE = Location(f"s3://{BUCKET}", "full/")


def list_source(source: Location) -> Listing:
    (listing,) = gather(RunRequest(Recipe(), source=source), source, 1000)
    return listing


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    store_of.cache_clear()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
    store_of.cache_clear()
    server.stop()


def put(s3: Any, *keys: str, body: bytes = b"12345") -> None:
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def listed() -> list[SourceObject]:
    return list_in_ranges(partial(pages_after, store_of(SOURCE.root), SOURCE.prefix), SOURCE.prefix)


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_bucket_is_listed_in_order_whatever_the_pages(
    s3: Any, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(imagemill_app.counted_store, "PAGE_OBJECTS", page)
    keys = [f"full/{a}{mark}{b}" for a in "az" for mark in " +%.-é/" for b in "01é"]
    put(s3, *keys, "full", "other/a", "full0")
    objects = listed()
    assert [item.key for item in objects] == sorted(keys)
    assert {(item.etag, item.bytes) for item in objects} == {
        ("827ccb0eea8a706c4c34a16891f84e7b", 5)
    }


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5, 1000])
def test_folder_objects_have_their_own_keys_and_repeat_nothing(
    s3: Any, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(imagemill_app.counted_store, "PAGE_OBJECTS", page)
    folders = {"full/", "full/a/", "full/b/", "full/v1.2/"}
    pictures = {"full/a", "full/a-b", "full/a.b", "full/a/b", "full/b-b", "full/b/c", "full/v1.2/d"}
    put(s3, *folders, body=b"")
    put(s3, *pictures)
    assert [item.key for item in listed()] == sorted(folders | pictures)


def test_folder_objects_are_no_pictures_and_empty_ones_are_left_to_the_jobs(s3: Any) -> None:
    put(s3, "full/", "full/a/", "full/v1.2/", "full/empty.jpg", body=b"")
    put(s3, "full/a/b.jpg")
    listing = list_source(SOURCE)
    assert [item.key for item in listing.objects] == ["full/a/b.jpg", "full/empty.jpg"]
    assert listing.ignored == {"folder object": 3}


def test_object_and_folder_object_of_one_name_are_told_apart(s3: Any) -> None:
    put(s3, "full/a/", body=b"")
    put(s3, "full/a", "full/a/b")
    assert [item.key for item in list_source(SOURCE).objects] == ["full/a", "full/a/b"]


def test_source_with_an_empty_part_in_its_prefix_is_listed(s3: Any) -> None:
    put(s3, "odd//a.jpg", "odd//b.jpg")
    listing = list_source(Location(SOURCE.root, "odd//"))
    assert [item.key for item in listing.objects] == ["odd//a.jpg", "odd//b.jpg"]
    assert listing.refused == []


AWKWARD = ["/a.jpg", "//a.jpg", "a//b.jpg", "a/./b.jpg", "a/../b.jpg", "../b.jpg", "a\tb.jpg"]
LONG = ["x" * 1000 + ".jpg", "a\x7fb.jpg", "a\x01b.jpg", "%2F.jpg", "a/.../b.jpg"]


@pytest.mark.parametrize("prefix", ["", "full/"])
@pytest.mark.parametrize("name", AWKWARD + LONG, ids=range(len(AWKWARD + LONG)))
def test_every_key_that_s3_takes_is_listed_as_it_is(s3: Any, name: str, prefix: str) -> None:
    put(s3, f"{prefix}{name}", f"{prefix}m.jpg")
    listing = list_source(Location(SOURCE.root, prefix))
    assert [item.key for item in listing.objects] == sorted([f"{prefix}{name}", f"{prefix}m.jpg"])
    assert (listing.refused, listing.ignored) == ([], {})
    for item in listing.objects:
        assert looked_up(SOURCE, item.key) == item


@pytest.mark.parametrize("name", ["gone.jpg", "gone//gone.jpg"])
def test_object_that_is_gone_is_not_found(s3: Any, name: str) -> None:
    assert looked_up(SOURCE, name) is None
