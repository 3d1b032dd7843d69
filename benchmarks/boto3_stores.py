"""The same worker with boto3 in the place of obstore: put before its modules by `s3_job`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from imagemill_worker.stores.s3 import S3Objects


@cache
def client() -> Any:
    return boto3.client(
        "s3",
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        config=Config(max_pool_connections=64, s3={"addressing_style": "path"}),
    )


def get(_objects: object, key: str, etag: str = "") -> memoryview:
    condition = {"IfMatch": f'"{etag}"'} if etag else {}
    return memoryview(client().get_object(Bucket="bucket", Key=key, **condition)["Body"].read())


def put(_objects: object, key: str, body: bytes, *, durable: bool = False) -> str:
    answer = client().put_object(Bucket="bucket", Key=key, Body=body, ContentType="image/jpeg")
    return str(answer["ETag"]).strip('"')


for method in (get, put):
    setattr(S3Objects, method.__name__, method)
