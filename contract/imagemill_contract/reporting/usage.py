"""What a piece of work has used: seconds, bytes, and requests to the store. Usages add up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from imagemill_contract.errors import DocumentError

VERSION = 1


class Request(StrEnum):
    """A kind of request to S3, by what it costs."""

    GET = "get"  # and HEAD
    PUT = "put"  # and COPY, POST, and each part of a multipart upload
    LIST = "list"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, by one attempt of a job or by many.

    Attributes:
        attempts: How many attempts are in these sums.
        seconds: Wall time of all attempts.
        vcpu_seconds: Wall time, each attempt's times the vCPUs that it had.
        cpu_seconds: What their processes have computed.
        read_bytes: Bytes of the pictures that were read.
        requests: Requests to S3, by kind.
        began: When the first attempt began, in seconds since 1970; 0 if unknown.
        ended: When the last one ended.
    """

    attempts: int = 0
    seconds: float = 0.0
    vcpu_seconds: float = 0.0
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0

    def plus(self, other: Usage) -> Usage:
        return Usage(
            attempts=self.attempts + other.attempts,
            seconds=self.seconds + other.seconds,
            vcpu_seconds=self.vcpu_seconds + other.vcpu_seconds,
            cpu_seconds=self.cpu_seconds + other.cpu_seconds,
            read_bytes=self.read_bytes + other.read_bytes,
            requests=added(self.requests, other.requests),
            began=min(filter(None, (self.began, other.began)), default=0.0),
            ended=max(self.ended, other.ended),
        )

    @property
    def busy_ratio(self) -> float | None:
        """The share of the vCPUs' time in which they have computed; None without any time."""
        return self.cpu_seconds / self.vcpu_seconds if self.vcpu_seconds else None

    def to_document(self) -> dict[str, object]:
        return {
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "vcpu_seconds": round(self.vcpu_seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "read_bytes": self.read_bytes,
            "requests": dict(self.requests),
            "began": round(self.began, 3),
            "ended": round(self.ended, 3),
        }

    def encode(self) -> bytes:
        """The usage as a document of its own."""
        return json.dumps({"v": VERSION, **self.to_document()}).encode()

    @classmethod
    def decode(cls, body: bytes) -> Usage:
        """Raises DocumentError for another version or shape."""
        try:
            document = json.loads(body)
            version = document.pop("v", None)
        except (ValueError, AttributeError) as error:
            raise DocumentError(f"A usage cannot be read: {error}.") from error
        if version != VERSION:
            raise DocumentError(f"The usage is of version {version}, not {VERSION}.")
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: object) -> Usage:
        """Raises DocumentError for a document of another shape."""
        try:
            return cls(**cast("Mapping[str, object]", document))  # type: ignore[arg-type] # names are checked by the call
        except TypeError as error:
            raise DocumentError(f"A usage cannot be read: {error}.") from error


def usage_of_attempts(headers: Iterable[Mapping[str, object]]) -> Usage:
    """The sum of what attempts have used, each by the last of its headers, which come in order."""
    latest = {header["attempt"]: header["usage"] for header in headers if "usage" in header}
    total = Usage()
    for document in latest.values():
        total = total.plus(Usage.from_document(document))
    return total


def added(*counts: Mapping[str, int]) -> dict[str, int]:
    """Sums by name, in the order of names."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(sorted(total.items()))
