"""What invocations of Lambda functions have used. Usages add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from imagemill_contract.errors import DocumentError
from imagemill_contract.reporting.usage import added


@dataclass(frozen=True, slots=True)
class LambdaUsage:
    """What was used, by one invocation or by many.

    Attributes:
        invocations: How many invocations are in these sums.
        gb_seconds: Memory in GiB times seconds.
        requests: Requests to S3, by kind.
    """

    invocations: int = 0
    gb_seconds: float = 0.0
    requests: Mapping[str, int] = field(default_factory=dict)

    def plus(self, other: LambdaUsage) -> LambdaUsage:
        return LambdaUsage(
            self.invocations + other.invocations,
            self.gb_seconds + other.gb_seconds,
            added(self.requests, other.requests),
        )

    def to_document(self) -> dict[str, object]:
        return {
            "invocations": self.invocations,
            "gb_seconds": round(self.gb_seconds, 4),
            "requests": dict(self.requests),
        }

    @classmethod
    def from_document(cls, document: object) -> LambdaUsage:
        """Raises DocumentError for a document of another shape."""
        try:
            return cls(**cast("Mapping[str, object]", document))  # type: ignore[arg-type] # names are checked by the call
        except TypeError as error:
            raise DocumentError(f"What a function used cannot be read: {error}.") from error
