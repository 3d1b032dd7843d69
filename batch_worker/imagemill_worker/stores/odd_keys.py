"""The few keys that S3 accepts and obstore cannot address: `a//b`, `./a`, tabs, newlines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from imagemill_worker.stores.faults import FaultKind, StoreFault, http_fault


class OddKeys:
    """Objects of one bucket by boto3, with one try per request. Every method raises StoreFault."""

    def __init__(self, bucket: str, endpoint: str | None) -> None:
        self._bucket = bucket
        config = Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=64,
            connect_timeout=5,
            read_timeout=20,
            s3={"addressing_style": "path"} if endpoint else {},
        )
        self._s3: Any = boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)

    def get(self, key: str, etag: str = "") -> memoryview:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        with _faults():
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **condition)
            return memoryview(answer["Body"].read())

    def put(self, key: str, body: bytes, content_type: str) -> str:
        with _faults():
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
            )
        return str(answer["ETag"]).strip('"')

    def head(self, key: str) -> None:
        with _faults():
            self._s3.head_object(Bucket=self._bucket, Key=key)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise http_fault(status, "" if code.isdigit() else code) from error
    except BotoCoreError as error:  # no connection, a body that ends early
        raise StoreFault(
            FaultKind.PASSING, "NoAnswer", f"The store did not answer: {error}"
        ) from error
