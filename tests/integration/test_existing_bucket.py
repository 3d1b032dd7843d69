"""A stack that is attached to a bucket which exists already, through EventBridge."""

from __future__ import annotations

import pytest

from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, executions, keys_in, start
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

BUCKET = "pictures-of-somebody"


@pytest.fixture(scope="module")
def attached(engine: Engine) -> LocalStack:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return deployed_on(engine, {"ExistingInputBucketName": BUCKET}, "attached")


def test_upload_to_an_existing_bucket_starts_a_run_with_awkward_keys(attached: LocalStack) -> None:
    s3 = attached.client("s3")
    assert attached.input_bucket == BUCKET
    assert {item["Name"] for item in s3.list_buckets()["Buckets"]} >= {BUCKET}
    names = ["x y/a+b.jpg", "100%/c%20d.jpg", "日本/é.jpg", "plain.jpg"]
    for index, name in enumerate(names):
        s3.put_object(Bucket=BUCKET, Key=f"full/{name}", Body=cut(index))
    s3.put_object(Bucket=BUCKET, Key="elsewhere/no.jpg", Body=cut(0))

    until(
        lambda: len(keys_in(attached, attached.output_bucket, "edges/")) == len(names),
        "the uploads are processed",
        pause_seconds=0.2,
    )

    runs = [ended(run) for run in executions(attached).values()]
    assert all(run.result()["verdict"] == "succeeded" for run in runs)
    assert keys_in(attached, attached.output_bucket, "resized/") == {
        f"resized/{name}" for name in names
    }
    by_hand = ended(start(attached, {"source": f"s3://{BUCKET}/full/"}))
    assert by_hand.result()["sentence"] == "Nothing to do: all 4 pictures are done already."
