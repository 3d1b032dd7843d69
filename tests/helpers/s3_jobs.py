"""Jobs over objects in S3, run as Batch runs them: by their command line, in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from tests.helpers.jobs import ROOT, Ended
from tests.helpers.pictures import recipe
from tests.helpers.waiting import PATIENCE_SECONDS

SHARD = "00000"
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # the engine's


@dataclass(frozen=True)
class S3Jobs:
    """The jobs of one shard, whose pictures and results lie in one bucket.

    Attributes:
        s3: A client that goes to S3 by the straight way: nothing of the test itself is harmed.
        endpoint_url: Where the worker finds S3: that of a proxy, say.
    """

    s3: Any
    endpoint_url: str
    credentials: Mapping[str, str]
    bucket: str = "bucket"
    run_id: str = "run-1"

    def put(self, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self.source.prefix + name, Body=body)

    @property
    def source(self) -> Location:
        return Location(f"s3://{self.bucket}", f"{self.run_id}/in/")

    @property
    def output(self) -> Location:
        return Location(f"s3://{self.bucket}", f"{self.run_id}/out/")

    def plan(self, **fields: object) -> Shard:
        """Write the shard document of all objects there are."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.source.prefix
        )
        rows = [row for page in pages for row in page.get("Contents", [])]
        objects = [SourceObject(row["Key"], row["ETag"].strip('"'), row["Size"]) for row in rows]
        shard = Shard(self.run_id, SHARD, self.source, self.output, recipe(**fields), objects)
        self.s3.put_object(Bucket=self.bucket, Key=self.shard_key, Body=shard.encode())
        return shard

    @property
    def shard_key(self) -> str:
        return self.output.prefix + keys.shard_key(self.run_id, SHARD)

    def command(self, stage: str, *options: str) -> list[str]:
        shard = ("--shard", f"s3://{self.bucket}/{self.shard_key}")
        return [sys.executable, "-m", "imagemill_worker", stage, *shard, *options]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
        region = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.endpoint_url}
        return {**os.environ, "PYTHONPATH": path, **self.credentials, **region, **env}

    def start(self, stage: str, *options: str, **env: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(stage, *options), env=self.environment(env), stdout=subprocess.DEVNULL
        )

    def run(self, stage: str, *options: str, **env: str) -> Ended:
        done = subprocess.run(
            self.command(stage, *options),
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return Ended(done.returncode, lines, done.stderr)

    def body(self, key: str) -> bytes:
        """Of an object below the output."""
        found = self.s3.get_object(Bucket=self.bucket, Key=self.output.prefix + key)
        body: bytes = found["Body"].read()
        return body

    def outcomes(self, stage: str) -> list[Outcome]:
        return decode_outcomes(self.body(keys.outcome_key(self.run_id, Stage(stage), SHARD)))[1]

    def reasons(self, stage: str) -> dict[str, str]:
        """Reason by name, of all pictures that were not written."""
        rows = (row for row in self.outcomes(stage) if row.reason)
        return {row.key.removeprefix(self.source.prefix): str(row.reason) for row in rows}

    def files(self, below: str) -> dict[str, bytes]:
        """Bodies by key, both relative to a folder of the output."""
        folder = self.output.prefix + below
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder)
        names = [row["Key"] for page in pages for row in page.get("Contents", [])]
        relative = [name.removeprefix(self.output.prefix) for name in names]
        return {name.removeprefix(below): self.body(name) for name in relative}


def client_of(endpoint_url: str, credentials: Mapping[str, str]) -> Any:
    """A client of S3 that tries nothing twice."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
