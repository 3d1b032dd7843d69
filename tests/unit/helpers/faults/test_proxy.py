"""What no rule harms goes through the proxy as it was sent and signed."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import obstore
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store

from tests.helpers.faults.memory_s3 import CREDENTIALS, KEY_ID, SECRET, MemoryS3, etag_of
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.raw_client import RawClient
from tests.helpers.faults.requests import Operation
from tests.helpers.s3_jobs import client_of

AWKWARD = ["a b+ü/ä?x#y%20.txt", "日本/é.jpg", "plain.jpg", "a&b=c.jpg"]
PART_BYTES = 5 << 20


@pytest.fixture
def store(proxy: FaultProxy) -> S3Store:
    return store_at(proxy.endpoint_url)


def store_at(endpoint_url: str, secret: str = SECRET) -> S3Store:
    """A store that tries nothing twice."""
    return S3Store(
        "bucket",
        endpoint=endpoint_url,
        access_key_id=KEY_ID,
        secret_access_key=secret,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={
            "max_retries": 0,
            "backoff": {
                "init_backoff": timedelta(0),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
            "retry_timeout": timedelta(seconds=5),
        },
    )


@pytest.fixture
def boto(proxy: FaultProxy) -> Any:
    return client_of(proxy.endpoint_url, CREDENTIALS)


@pytest.mark.parametrize("key", AWKWARD)
def test_obstore_reads_what_it_wrote(store: S3Store, s3: MemoryS3, key: str) -> None:
    store.put(key, b"0123456789")
    assert s3.objects == {("bucket", key): b"0123456789"}
    assert bytes(store.get(key).bytes()) == b"0123456789"
    assert bytes(store.get_range(key, start=2, end=5)) == b"234"
    assert store.head(key)["size"] == 10
    assert [meta["path"] for page in store.list() for meta in page] == [key]
    with pytest.raises(AlreadyExistsError):
        store.put(key, b"other", mode="create")
    with pytest.raises(PreconditionError):
        store.get(key, options={"if_match": '"another"'})
    store.delete([key])
    assert s3.objects == {}


@pytest.mark.parametrize("key", AWKWARD)
def test_boto3_reads_what_it_wrote(boto: Any, s3: MemoryS3, key: str) -> None:
    boto.put_object(Bucket="bucket", Key=key, Body=b"0123456789")
    assert s3.objects == {("bucket", key): b"0123456789"}
    assert boto.get_object(Bucket="bucket", Key=key)["Body"].read() == b"0123456789"
    tail = boto.get_object(Bucket="bucket", Key=key, Range="bytes=-3")
    assert (tail["Body"].read(), tail["ContentRange"]) == (b"789", "bytes 7-9/10")
    assert boto.head_object(Bucket="bucket", Key=key)["ContentLength"] == 10
    listed = boto.list_objects_v2(Bucket="bucket")["Contents"]
    assert [row["Key"] for row in listed] == [key]
    boto.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": key}]})
    with pytest.raises(ClientError, match="NoSuchKey"):
        boto.get_object(Bucket="bucket", Key=key)


def test_uploads_of_several_parts_are_put_together(
    store: S3Store, boto: Any, s3: MemoryS3, proxy: FaultProxy
) -> None:
    body = b"".join(bytes([number]) * PART_BYTES for number in range(3)) + b"rest"
    obstore.put(store, "by obstore", body, use_multipart=True, chunk_size=PART_BYTES)
    config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
    boto.upload_fileobj(io.BytesIO(body), "bucket", "by boto3", Config=config)
    assert s3.objects == {("bucket", "by obstore"): body, ("bucket", "by boto3"): body}
    assert s3.uploads == {}
    assert proxy.totals == {
        Operation.CREATE_UPLOAD: 2, Operation.PUT_PART: 8, Operation.COMPLETE_UPLOAD: 2,
    }  # fmt: skip
    assert bytes(store.get("by boto3").bytes()) == body


def test_listing_goes_on_page_by_page_and_by_folders(boto: Any, s3: MemoryS3) -> None:
    names = sorted(f"{folder}/{number}" for folder in "ab&" for number in range(5))
    s3.objects.update({("bucket", name): b"x" for name in [*names, "top"]})
    s3.objects["other", "z"] = b"x"
    pages = boto.get_paginator("list_objects_v2")
    found = list(pages.paginate(Bucket="bucket", PaginationConfig={"PageSize": 4}))
    assert [len(page["Contents"]) for page in found] == [4, 4, 4, 4]
    assert [row["Key"] for page in found for row in page["Contents"]] == [*names, "top"]
    assert found[0]["Contents"][0]["ETag"] == etag_of(b"x")
    folders = list(pages.paginate(Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": 3}))
    prefixes = [row["Prefix"] for page in folders for row in page.get("CommonPrefixes", [])]
    assert prefixes == ["&/", "a/", "b/"]
    assert [row["Key"] for page in folders for row in page.get("Contents", [])] == ["top"]
    after = boto.list_objects_v2(Bucket="bucket", Prefix="a/", StartAfter="a/2")
    assert [row["Key"] for row in after["Contents"]] == ["a/3", "a/4"]


def test_signature_of_a_wrong_secret_is_refused(proxy: FaultProxy, s3: MemoryS3) -> None:
    boto = client_of(proxy.endpoint_url, {**CREDENTIALS, "AWS_SECRET_ACCESS_KEY": "wrong"})
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        boto.put_object(Bucket="bucket", Key="a", Body=b"x")
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        store_at(proxy.endpoint_url, "wrong").put("a", b"x")
    assert s3.objects == {}


def test_body_in_chunks_arrives_whole(proxy: FaultProxy, s3: MemoryS3) -> None:
    client = RawClient(proxy.endpoint_url)
    pieces = (bytes([number]) * 70_000 for number in range(5))
    client.request("PUT", "/bucket/a", pieces, encode_chunked=True)
    assert client.getresponse().read() == b""
    client.close()
    assert s3.objects["bucket", "a"] == b"".join(bytes([number]) * 70_000 for number in range(5))


def test_many_clients_at_once_get_what_is_theirs(s3: MemoryS3, proxy: FaultProxy) -> None:
    bodies = {f"{number}": bytes([number]) * 50_000 for number in range(64)}
    s3.objects.update({("bucket", key): body for key, body in bodies.items()})
    store = store_at(proxy.endpoint_url)
    with ThreadPoolExecutor(32) as pool:
        found = pool.map(lambda key: bytes(store.get(key).bytes()), list(bodies) * 4)
    assert list(found) == list(bodies.values()) * 4
    assert proxy.totals == {Operation.GET: 256}
    assert s3.requests == 256
