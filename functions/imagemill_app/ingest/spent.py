"""What it takes to gather uploads: each group document says it, so that their run can bill it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from imagemill_contract.reporting.lambda_usage import LambdaUsage


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used. Sums add up.

    Attributes:
        messages: How many came from the queue.
        functions: What the function that gathered them has used.
    """

    messages: int = 0
    functions: LambdaUsage = field(default_factory=LambdaUsage)

    def plus(self, other: Spent) -> Spent:
        return Spent(self.messages + other.messages, self.functions.plus(other.functions))

    def to_document(self) -> dict[str, object]:
        return {"messages": self.messages, "functions": self.functions.to_document()}

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Spent:
        """Raises DocumentError for a document of another shape; an empty one says nothing."""
        functions = LambdaUsage.from_document(document.get("functions", {}))
        return cls(cast("int", document.get("messages", 0)), functions)
