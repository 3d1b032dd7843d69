"""Objects of a bucket, with one try per request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from imagemill_contract.source_keys import is_readable_key
from imagemill_worker.stores.faults import FaultKind, StoreFault, fault_of

if TYPE_CHECKING:
    from imagemill_worker.stores.odd_keys import OddKeys

# Of a multipart upload: 10,000 parts of these are 160 GB, and as few requests as memory allows.
PART_BYTES, _PARTS_AT_ONCE = 16 << 20, 2
# The parts of one large object are tried again one by one, by the client itself.
_TRIES_OF_PARTS, _SECONDS_OF_PARTS = 8, 90
_CONTENT_TYPES = {
    **{".jpg": "image/jpeg", ".png": "image/png"},
    **{".webp": "image/webp", ".avif": "image/avif"},
}


class S3Objects:
    """The objects of one bucket. Keys are whole keys; every method raises StoreFault.

    Endpoint, region and credentials come from the AWS_* variables, from the container's credentials
    endpoint or from the instance, in that order.
    """

    def __init__(self, bucket: str, env: Mapping[str, str] = os.environ) -> None:
        self._bucket = bucket
        self._endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
        self._store = self._client(tries=0)

    @cached_property
    def _patient_store(self) -> S3Store:
        return self._client(tries=_TRIES_OF_PARTS)

    @cached_property
    def _odd_keys(self) -> OddKeys:
        from imagemill_worker.stores.odd_keys import OddKeys  # most of a second, for few buckets

        return OddKeys(self._bucket, self._endpoint)

    def get(self, key: str, etag: str = "") -> memoryview:
        """The whole body of the object, which must have the ETag, if one is given."""
        if not is_readable_key(key):
            return self._odd_keys.get(key, etag)
        try:
            # documents hold ETags plain; HTTP wants them quoted (RFC 9110, 8.8.3)
            options = {"if_match": f'"{etag}"'} if etag else None
            result = obstore.get(self._store, key, options=options)  # type: ignore[arg-type] # a TypedDict
            body = result.bytes()
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error
        check_length(len(body), result.meta["size"])
        return memoryview(body)

    def put(self, key: str, body: bytes, *, durable: bool = False) -> str:
        """Write the object whole or not at all, and return its ETag. S3 is always durable."""
        if not is_readable_key(key):
            return self._odd_keys.put(key, body, _content_type(key))
        try:
            result = obstore.put(
                self._store,
                key,
                body,
                attributes={"Content-Type": _content_type(key)},
                use_multipart=False,
            )
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error
        return (result["e_tag"] or "").strip('"')

    def create(self, key: str, body: bytes) -> bool:
        """Write an object where there is none; whether it was written."""
        try:
            obstore.put(self._store, key, body, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error
        return True

    def put_file(self, key: str, file: BinaryIO) -> None:
        """Write a file's content with little memory. It is visible once its last part is there."""
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            obstore.put(
                self._patient_store,
                key,
                file,
                attributes={"Content-Type": _content_type(key)},
                use_multipart=length > PART_BYTES,
                chunk_size=PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except (BaseError, ValueError) as error:
            raise fault_of(error) from error

    def fetch(self, key: str, file: BinaryIO) -> None:
        """Append the object's content to a file, with little in memory."""
        try:
            result = obstore.get(self._patient_store, key)
            written = 0
            for part in result.stream(min_chunk_size=PART_BYTES // 4):
                written += file.write(part)
        except (BaseError, FileNotFoundError, ValueError) as error:
            raise fault_of(error) from error
        check_length(written, result.meta["size"])

    def head(self, key: str) -> None:
        """Ask for the object without its body."""
        if not is_readable_key(key):
            self._odd_keys.head(key)
            return
        try:
            obstore.head(self._store, key)
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        try:
            pages = obstore.list(self._patient_store, prefix)
            return sorted(meta["path"] for page in pages for meta in page)
        except (BaseError, ValueError) as error:
            raise fault_of(error) from error

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are no error."""
        try:
            obstore.delete(self._patient_store, list(keys))
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error

    def _client(self, tries: int) -> S3Store:
        return S3Store(
            self._bucket,
            endpoint=self._endpoint,
            virtual_hosted_style_request=not self._endpoint,
            client_options={
                "allow_http": bool(self._endpoint and self._endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=5),
                "read_timeout": timedelta(seconds=20),
                "timeout": timedelta(seconds=120),
            },
            retry_config={
                "max_retries": tries,
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=15),
                    "base": 2,
                },
                "retry_timeout": timedelta(seconds=_SECONDS_OF_PARTS),
            },
        )


def check_length(came: int, length: int) -> None:
    """Raises StoreFault if a body was cut off on its way."""
    if came != length:
        raise StoreFault(FaultKind.PASSING, "IncompleteBody", f"{came} of {length} bytes came.")


def _content_type(key: str) -> str:
    return _CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
