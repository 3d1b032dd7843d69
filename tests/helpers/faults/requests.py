"""What a request asks of S3, told from its method, its address and its query."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qs, unquote

from tests.helpers.faults.messages import Body, Head, read_body, read_head


class Operation(StrEnum):
    GET = "get"
    HEAD = "head"
    LIST = "list"
    PUT = "put"
    DELETE = "delete"
    DELETE_MANY = "delete_many"
    CREATE_UPLOAD = "create_upload"
    PUT_PART = "put_part"
    COMPLETE_UPLOAD = "complete_upload"
    ABORT_UPLOAD = "abort_upload"
    OTHER = "other"  # of a bucket's settings, or of another service than S3


ALL = frozenset(Operation) - {Operation.OTHER}
READS = frozenset({Operation.GET})
WRITES = frozenset({Operation.PUT, Operation.PUT_PART, Operation.COMPLETE_UPLOAD})

_OF_OBJECT = {
    "GET": Operation.GET,
    "HEAD": Operation.HEAD,
    "PUT": Operation.PUT,
    "DELETE": Operation.DELETE,
}
_OF_UPLOAD = {
    "PUT": Operation.PUT_PART,
    "POST": Operation.COMPLETE_UPLOAD,
    "DELETE": Operation.ABORT_UPLOAD,
    "GET": Operation.LIST,
}
# Of all that a client may add to the address of a bucket or an object, only this changes nothing.
_PLAIN_FIELDS = frozenset({"versionId", "partNumber", "x-id"})
_LISTING_FIELDS = frozenset({"list-type", "prefix", "delimiter", "marker", "max-keys"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was received.

    Attributes:
        key: Decoded; empty for a request of the whole bucket.
        query: First value by name; names without a value have an empty one.
    """

    head: Head
    body: Body
    operation: Operation
    bucket: str
    key: str
    query: dict[str, str]

    @classmethod
    def of(cls, head: Head, body: Body) -> Self:
        method, target, _ = head.start_line.split(" ", 2)
        path, _, text = target.partition("?")
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(text, True).items()}
        operation = _operation(method, bucket, key, query) if _is_s3(head) else Operation.OTHER
        return cls(head, body, operation, bucket, key, query)

    @property
    def method(self) -> str:
        return self.head.start_line.partition(" ")[0]

    @property
    def deleted_keys(self) -> list[str]:
        """What a request to delete many objects names."""
        tree = ET.fromstring(self.body.content)  # noqa: S314 # a client of our own wrote it
        return [node.text or "" for node in tree.iter() if node.tag.rpartition("}")[2] == "Key"]


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next request of a connection; None when the client has closed it."""
    head = await read_head(reader)
    if head is None:
        return None
    if head.header("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request.of(head, await read_body(reader, head, is_answer=False))


def _is_s3(head: Head) -> bool:
    """Unsigned requests are taken for S3's; those of other services are always signed."""
    authorization = head.header("authorization")
    return "/s3/aws4_request" in authorization or not authorization


def _operation(method: str, bucket: str, key: str, query: dict[str, str]) -> Operation:
    if not key:
        return _of_bucket(method, bucket, query)
    if "uploadId" in query:
        return _OF_UPLOAD.get(method, Operation.OTHER)
    if method == "POST" and "uploads" in query:
        return Operation.CREATE_UPLOAD
    fields = {name for name in query if not name.startswith(("X-Amz-", "response-"))}
    return _OF_OBJECT.get(method, Operation.OTHER) if fields <= _PLAIN_FIELDS else Operation.OTHER


def _of_bucket(method: str, bucket: str, query: dict[str, str]) -> Operation:
    if method == "POST" and "delete" in query:
        return Operation.DELETE_MANY
    is_listing = bucket and method == "GET" and (not query or set(query) & _LISTING_FIELDS)
    return Operation.LIST if is_listing else Operation.OTHER
