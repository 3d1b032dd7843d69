"""Which failed attempts of a job are tried again: retryStrategy as AWS Batch evaluates it.

https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from imagemill_engine.shapes import Document


@dataclass(frozen=True, slots=True)
class ExitRule:
    """A rule of evaluateOnExit; it matches when all the patterns that it names do.

    `None` stands for a pattern that the rule does not name.
    """

    action: str
    on_exit_code: str | None = None
    on_reason: str | None = None
    on_status_reason: str | None = None

    def matches(self, exit_code: int | None, reason: str | None, status_reason: str) -> bool:
        """Whether the rule is about an attempt that ended so; no exit code: it never started."""
        code = "" if exit_code is None else str(exit_code)
        pairs = (
            (self.on_exit_code, code),
            (self.on_reason, reason or ""),
            (self.on_status_reason, status_reason),
        )
        return all(_matches(pattern, value) for pattern, value in pairs if pattern is not None)


def _matches(pattern: str, value: str) -> bool:
    """Only a `*` at the end is a wildcard."""
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value == pattern


@dataclass(frozen=True, slots=True)
class RetryStrategy:
    """The most attempts of a job, and rules that end it earlier."""

    attempts: int = 1
    rules: tuple[ExitRule, ...] = ()

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Of a job definition's retryStrategy; an empty one means a single attempt."""
        return cls(
            attempts=int(document.get("attempts") or 1),
            rules=tuple(
                ExitRule(
                    action=str(rule["action"]).upper(),
                    on_exit_code=rule.get("onExitCode"),
                    on_reason=rule.get("onReason"),
                    on_status_reason=rule.get("onStatusReason"),
                )
                for rule in document.get("evaluateOnExit") or ()
            ),
        )

    def wants_retry(
        self, attempt: int, exit_code: int | None, reason: str | None, status_reason: str
    ) -> bool:
        """Whether a failed attempt (counted from 1) is followed by another one.

        The first rule that matches decides; when none does, the attempt is retried.
        """
        if attempt >= self.attempts:
            return False
        for rule in self.rules:
            if rule.matches(exit_code, reason, status_reason):
                return rule.action == "RETRY"
        return True
