"""Keys of objects: which the engine carries unchanged, and which obstore does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from imagemill_engine.engine import Engine

PLAIN = [
    "a b.jpg",
    "a+b.jpg",
    "a%b.jpg",
    "a%20b.jpg",
    "a?b.jpg",
    "a#b.jpg",
    "a&b=c.jpg",
    "ü-画像.jpg",
    "u\u0308.jpg",
    "a..b/c.jpg",
    "x" * 1020 + ".jpg",
]
# Keys that S3 takes and obstore refuses; one of them ends the listing of its prefix.
REFUSED = ["a//b.jpg", "a/./b.jpg", "a/../b.jpg", "tab\t.jpg"]


@pytest.fixture
def bucket(engine: Engine) -> str:
    name = f"keys-{uuid4().hex[:12]}"
    engine.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def store(engine: Engine, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=engine.endpoint_url,
        region=engine.region,
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True},
        virtual_hosted_style_request=False,
    )


def listed(store: S3Store) -> set[str]:
    return {found["path"] for page in obstore.list(store) for found in page}


def test_keys_survive_obstore_in_both_directions(engine: Engine, store: S3Store, bucket: str):
    s3 = engine.client("s3")
    for key in PLAIN:
        store.put(key, key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        s3.put_object(Bucket=bucket, Key=f"own/{key}", Body=key.encode()[:1000])
        if len(key) <= 1000:
            assert bytes(store.get(f"own/{key}").bytes()) == key.encode()
    assert listed(store) == {*PLAIN, *(f"own/{key}" for key in PLAIN)}


@pytest.mark.parametrize("key", REFUSED)
def test_the_engine_keeps_keys_that_obstore_refuses(
    engine: Engine, store: S3Store, bucket: str, key: str
):
    s3 = engine.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    found = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in found] == [key]
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    with pytest.raises(ValueError, match="parse path"):
        store.get(key)
    with pytest.raises(BaseError, match="invalid path"):
        listed(store)


@pytest.mark.parametrize("key", ["/first.jpg", "folder/"])
def test_obstore_takes_a_slash_at_either_end_off(
    engine: Engine, store: S3Store, bucket: str, key: str
):
    engine.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    assert listed(store) == {key.strip("/")}
    with pytest.raises(FileNotFoundError):
        store.get(key)


@pytest.fixture
def notified(engine: Engine, bucket: str) -> Iterator[Any]:
    """Gives the raw keys of the notifications of the bucket."""
    sqs = engine.client("sqs")
    queue = sqs.create_queue(QueueName=f"{bucket}-events")["QueueUrl"]
    arn = f"arn:aws:sqs:{engine.region}:{engine.account_id}:{bucket}-events"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    engine.client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    keys: list[str] = []

    def received() -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            records = json.loads(message["Body"]).get("Records", ())
            keys.extend(record["s3"]["object"]["key"] for record in records)
        return keys

    yield received
    sqs.delete_queue(QueueUrl=queue)


def test_notifications_carry_keys_in_the_encoding_of_a_form(
    engine: Engine, bucket: str, notified: Any, until: Any
):
    keys = [*PLAIN, *REFUSED]
    for key in keys:
        engine.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    raw = until(lambda: found if len(found := notified()) == len(keys) else None)
    assert {unquote_plus(key) for key in raw} == set(keys)
    assert "a+b.jpg" in raw  # the one with the space
    assert "a%2Bb.jpg" in raw
