"""The same worker with boto3 in the place of obstore: put before its modules by `s3_job`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from imagemill_contract.documents import SourceObject
from imagemill_worker import stores


@cache
def client() -> Any:
    return boto3.client(
        "s3",
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        config=Config(max_pool_connections=64, s3={"addressing_style": "path"}),
    )


def read_object(_store: object, item: SourceObject) -> bytes:
    answer = client().get_object(Bucket="bucket", Key=item.key, IfMatch=f'"{item.etag}"')
    return bytes(answer["Body"].read())


def write_object(_store: object, key: str, body: bytes) -> None:
    client().put_object(Bucket="bucket", Key=key, Body=body, ContentType="image/jpeg")


vars(stores).update(read_object=read_object, write_object=write_object)
