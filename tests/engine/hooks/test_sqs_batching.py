"""Batches of the event source mapping, by the fixture's handler that writes them down."""

import json
import time
from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


@pytest.fixture
def batches(engine: Engine, stack: Stack) -> Any:
    """The batches that the handler has been given since the start of the test, in any order."""
    s3 = engine.client("s3")
    bucket = stack.outputs["OutputBucketName"]
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="batches/").get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=found["Key"])

    def read() -> list[list[str]]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="batches/").get("Contents", ())
        keys = [found["Key"] for found in listed]
        return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]

    return read


def send(engine: Engine, stack: Stack, bodies: list[str]) -> None:
    queue = stack.outputs["QueueUrl"]
    for first in range(0, len(bodies), 10):
        entries = [
            {"Id": str(index), "MessageBody": body}
            for index, body in enumerate(bodies[first : first + 10])
        ]
        engine.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)


def test_messages_of_one_window_come_in_one_batch(
    engine: Engine, stack: Stack, batches: Any, until: Any
):
    started = time.monotonic()
    send(engine, stack, [f"message {number}" for number in range(25)])
    [batch] = until(batches)
    assert len(batch) == 25
    assert time.monotonic() - started >= 1  # the window


def test_a_message_reported_as_failed_alone_comes_again_and_then_is_put_aside(
    engine: Engine, stack: Stack, batches: Any, until: Any
):
    sqs = engine.client("sqs")
    queue, aside = stack.outputs["QueueUrl"], stack.outputs["DeadLetterQueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "2"})
    send(engine, stack, ["good", "bad", "fine"])
    [message] = until(lambda: sqs.receive_message(QueueUrl=aside).get("Messages"))
    sqs.delete_message(QueueUrl=aside, ReceiptHandle=message["ReceiptHandle"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "30"})
    assert message["Body"] == "bad"
    assert sorted(batches(), key=len) == [["bad"], ["good", "bad", "fine"]]


def test_a_batch_holds_no_more_than_six_megabytes(
    engine: Engine, stack: Stack, batches: Any, until: Any
):
    body = "x" * 200_000
    for _ in range(40):  # 8 MB; a call may not carry more than one MiB
        engine.client("sqs").send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=body)

    def all_delivered() -> list[int] | None:
        sizes = [len(batch) for batch in batches()]
        return sizes if sum(sizes) == 40 else None

    sizes = until(all_delivered)
    assert len(sizes) >= 2
    assert max(sizes) * len(body) <= 6 * 1024 * 1024


def test_an_upload_arrives_as_a_message(engine: Engine, stack: Stack, batches: Any, until: Any):
    bucket = stack.outputs["InputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="full/a b+c.jpg", Body=b"x")
    [[body]] = until(batches)
    [record] = json.loads(body)["Records"]
    assert record["s3"]["object"]["key"] == "full/a+b%2Bc.jpg"
    assert record["s3"]["object"]["sequencer"]
