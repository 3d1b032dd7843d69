"""A dataset shard in a bucket is there as a whole or not at all, however its job ends."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from imagemill.local_stack import LocalStack, worker_environment
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from tests.helpers.photographs import cut

pytestmark = pytest.mark.engine

RECIPE = {"size": 1400, "quality": 100, "output": "webdataset"}
PICTURES = 60


class Jobs:
    """The jobs of one shard, whose pictures and results are in the engine's buckets."""

    def __init__(self, stack: LocalStack, run_id: str) -> None:
        self.run_id = run_id
        self.s3: Any = stack.client("s3")
        self.bucket = stack.output_bucket
        source = Location(f"s3://{stack.input_bucket}", f"{run_id}/")
        objects = []
        for number in range(PICTURES):
            key, body = f"{source.prefix}{number:03}.jpg", cut(number % 40)
            etag = self.s3.put_object(Bucket=stack.input_bucket, Key=key, Body=body)["ETag"]
            objects.append(SourceObject(key, etag.strip('"'), len(body)))
        output = Location(f"s3://{self.bucket}")
        shard = Shard(run_id, "00000", source, output, Recipe.from_document(RECIPE), objects)
        key = keys.shard_key(run_id, "00000")
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=shard.encode())
        self.address = f"s3://{self.bucket}/{key}"
        self.env = {
            **os.environ,
            **worker_environment(),
            "AWS_ENDPOINT_URL": stack.engine.endpoint_url,
            "AWS_REGION": stack.engine.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def start(self, stage: Stage) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "imagemill_worker", str(stage), "--shard", self.address]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL)

    def run(self, stage: Stage) -> None:
        assert self.start(stage).wait(120) == 0

    def uploads(self) -> list[dict[str, Any]]:
        """Those of dataset shards that are not complete."""
        found: list[dict[str, Any]] = self.s3.list_multipart_uploads(Bucket=self.bucket).get(
            "Uploads", []
        )
        return [upload for upload in found if upload["Key"].startswith("dataset/")]

    def dataset(self) -> dict[str, str]:
        """Digests of all dataset shards, by key."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="dataset/images-")
        names = [item["Key"] for item in listed.get("Contents", [])]
        return {name: self.digest(name) for name in names}

    def digest(self, key: str) -> str:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return hashlib.sha256(body).hexdigest()


@pytest.fixture
def jobs(stack: LocalStack) -> Jobs:
    return Jobs(stack, "packed-and-killed")


def test_job_killed_within_an_upload_shows_no_shard_and_its_retry_the_same_one(
    jobs: Jobs,
) -> None:
    jobs.run(Stage.RESIZE)
    known = jobs.dataset()
    process = jobs.start(Stage.EDGE)
    deadline = time.monotonic() + 60
    while not jobs.uploads():
        assert process.poll() is None, "the job ended before an upload of its was seen"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert jobs.uploads(), "it was killed after its upload"
    assert jobs.dataset() == known

    jobs.run(Stage.EDGE)
    retried = jobs.dataset()
    (key,) = set(retried) - set(known)
    body = jobs.s3.get_object(
        Bucket=jobs.bucket, Key=keys.outcome_key(jobs.run_id, Stage.EDGE, "00000")
    )
    header, rows = decode_outcomes(body["Body"].read())
    shards: Any = header["shards"]
    (shard,) = shards
    assert shard["key"] == key
    assert shard["bytes"] > 16 << 20, "no multipart upload"
    assert shard["sha256"] == retried[key]
    assert sorted(row.position for row in rows if row.position is not None) == list(range(PICTURES))

    jobs.run(Stage.EDGE)
    assert jobs.dataset() == retried
