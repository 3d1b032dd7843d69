"""What a piece of work has used: seconds, bytes, and requests to the store. Usages add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from imagemill_contract.errors import DocumentError


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

    @classmethod
    def from_document(cls, document: object) -> Usage:
        """Raises DocumentError for a document of another shape."""
        try:
            return cls(**cast("Mapping[str, object]", document))  # type: ignore[arg-type] # names are checked by the call
        except TypeError as error:
            raise DocumentError(f"A usage cannot be read: {error}.") from error


def added(*counts: Mapping[str, int]) -> dict[str, int]:
    """Sums by name, in the order of names."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(sorted(total.items()))
