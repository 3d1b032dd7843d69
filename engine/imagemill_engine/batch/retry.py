"""Which failed attempts of a job are tried again: retryStrategy as AWS Batch evaluates it.

https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ExitRule:
    """All the patterns that a rule names have to match; `None` stands for one not named."""

    action: str
    on_exit_code: str | None = None
    on_reason: str | None = None
    on_status_reason: str | None = None

    def matches(self, exit_code: int | None, reason: str | None, status_reason: str) -> bool:
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
    attempts: int = 1
    rules: tuple[ExitRule, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
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
