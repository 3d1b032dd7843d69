"""What a check has found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class FindingState(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works, and may not as one expects
    BROKEN = "broken"  # nothing can run, or something is lost
    UNKNOWN = "unknown"  # it could not be looked at


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        about: What was looked at, such as `job queue`.
        text: What is so, in the words of AWS where it has some.
        fix: What to do; empty if there is nothing to do.
    """

    about: str
    state: FindingState
    text: str
    fix: str = ""

    def to_document(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def ok(about: str, text: str) -> Finding:
    return Finding(about, FindingState.OK, text)


def warning(about: str, text: str, fix: str) -> Finding:
    return Finding(about, FindingState.WARNING, text, fix)


def broken(about: str, text: str, fix: str) -> Finding:
    return Finding(about, FindingState.BROKEN, text, fix)


def unknown(about: str, text: str) -> Finding:
    return Finding(about, FindingState.UNKNOWN, text)
