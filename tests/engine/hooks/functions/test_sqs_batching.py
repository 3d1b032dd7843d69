"""Batches of the event source mapping, by the fixture's handler that writes them down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine

Batch = dict[str, str]  # receipt handle -> body


@pytest.fixture
def batches(engine: Engine, stack: Stack) -> Callable[[], list[Batch]]:
    """The batches that the handler has been given since the start of the test, in any order.

    Without the message by which S3 tries the notification when its bucket is made.
    """
    s3 = engine.client("s3")
    bucket = stack.outputs["OutputBucketName"]
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="batches/").get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=found["Key"])

    def read() -> list[Batch]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="batches/").get("Contents", ())
        keys = [found["Key"] for found in listed]
        noted = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
        known = [
            {receipt: body for receipt, body in batch.items() if '"s3:TestEvent"' not in body}
            for batch in noted
        ]
        return [batch for batch in known if batch]

    return read


@pytest.fixture
def send(engine: Engine, stack: Stack, until: Any) -> Callable[[list[str]], None]:
    """Send messages while nobody takes them, however long that takes."""
    functions, sqs = engine.client("lambda"), engine.client("sqs")
    queue = stack.outputs["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    [mapping] = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]

    def send_all(bodies: list[str]) -> None:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        sqs.purge_queue(QueueUrl=queue)  # of what has waited longer
        for body in bodies:
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    return send_all


def test_messages_of_one_window_come_in_one_batch(batches: Any, send: Any, until: Any):
    started = time.monotonic()
    send([f"message {number}" for number in range(25)])
    [batch] = until(batches)
    assert len(batch) == 25
    assert time.monotonic() - started >= 1  # the window


def test_a_message_reported_as_failed_alone_comes_again_and_then_is_put_aside(
    engine: Engine, stack: Stack, batches: Any, send: Any, until: Any
):
    sqs = engine.client("sqs")
    queue, aside = stack.outputs["QueueUrl"], stack.outputs["DeadLetterQueueUrl"]

    def let_it_come_again(batch: Batch) -> None:
        [receipt] = [receipt for receipt, body in batch.items() if body == "bad"]
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=0)

    send(["good", "bad", "fine"])
    [first] = until(batches)
    let_it_come_again(first)
    until(lambda: len(batches()) == 2)
    [second] = [batch for batch in batches() if batch != first]
    let_it_come_again(second)
    [message] = until(lambda: sqs.receive_message(QueueUrl=aside).get("Messages"))
    sqs.delete_message(QueueUrl=aside, ReceiptHandle=message["ReceiptHandle"])
    assert message["Body"] == "bad"
    assert [list(batch.values()) for batch in (first, second)] == [["good", "bad", "fine"], ["bad"]]
    assert len(batches()) == 2


def test_a_batch_holds_no_more_than_six_megabytes(batches: Any, send: Any, until: Any):
    send(["x" * 200_000] * 40)  # 8 MB
    until(lambda: sum(map(len, batches())) == 40)
    largest = 6 * 1024 * 1024 // 200_000
    assert sorted(map(len, batches())) == [40 - largest, largest]


def test_an_upload_arrives_as_a_message(engine: Engine, stack: Stack, batches: Any, until: Any):
    bucket = stack.outputs["InputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="full/a b+c.jpg", Body=b"x")
    [batch] = until(batches)
    [body] = batch.values()
    [record] = json.loads(body)["Records"]
    assert record["s3"]["object"]["key"] == "full/a+b%2Bc.jpg"
    assert record["s3"]["object"]["sequencer"]
