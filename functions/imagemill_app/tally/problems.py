"""What was rejected or failed: counts by reason, with the first examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill_app.tally.smallest import Smallest
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status

# People read the report; the outcome documents hold all rows.
MAX_LISTED = 1000
MAX_EXAMPLES = 12

PROBLEMS = frozenset({Status.REJECTED, Status.FAILED})
_Name = tuple[str, str, str]  # stage, status, reason


@dataclass(slots=True)
class _Problem:
    count: int = 0
    bytes: int = 0
    examples: Smallest = field(default_factory=lambda: Smallest(MAX_EXAMPLES))


@dataclass(slots=True)
class Problems:
    """Rejected and failed objects."""

    _of: dict[_Name, _Problem] = field(default_factory=dict)
    _listed: dict[str, Smallest] = field(
        default_factory=lambda: {str(status): Smallest(MAX_LISTED) for status in PROBLEMS}
    )

    def add(self, stage: Stage, outcome: Outcome, source_bytes: int) -> None:
        """Count an outcome; `source_bytes` is what the source object has."""
        name = (str(stage), str(outcome.status), str(outcome.reason or "unknown"))
        problem = self._of.setdefault(name, _Problem())
        problem.count += 1
        problem.bytes += source_bytes
        if problem.examples.wants(outcome.key):
            example = {"key": outcome.key, "bytes": source_bytes, "detail": outcome.detail}
            problem.examples.add(example, outcome.key)
        listed = self._listed[outcome.status]
        if listed.wants(outcome.key, stage):
            listed.add({"stage": str(stage), **outcome.to_row()}, outcome.key, stage)

    def merge(self, other: Problems) -> None:
        for name, theirs in other._of.items():
            mine = self._of.setdefault(name, _Problem())
            mine.count += theirs.count
            mine.bytes += theirs.bytes
            mine.examples.merge(theirs.examples)
        for status, rows in other._listed.items():
            self._listed[status].merge(rows)

    def listed(self, status: Status) -> list[Mapping[str, object]]:
        """The first outcomes of a status, by key: at most MAX_LISTED."""
        return self._listed[status].rows()

    def reasons(self) -> dict[str, int]:
        """How often each reason was given, over all stages, the most frequent first."""
        counts: dict[str, int] = {}
        for (_, _, reason), problem in self._of.items():
            counts[reason] = counts.get(reason, 0) + problem.count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def rows(self) -> list[dict[str, Any]]:
        """One row for each stage, status and reason, the most frequent first."""
        rows = [
            {
                "stage": stage,
                "status": status,
                "reason": reason,
                "count": problem.count,
                "bytes": problem.bytes,
                "examples": problem.examples.rows(),
            }
            for (stage, status, reason), problem in self._of.items()
        ]
        return sorted(
            rows, key=lambda row: (-row["count"], row["reason"], row["stage"], row["status"])
        )

    def to_document(self) -> dict[str, object]:
        listed = {status: rows.to_document() for status, rows in self._listed.items()}
        return {"rows": self.rows(), "listed": listed}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Problems:
        found = cls()
        for row in document["rows"]:
            name = (row["stage"], row["status"], row["reason"])
            found._of[name] = _Problem(row["count"], row["bytes"], _examples(row["examples"]))
        for status, rows in document["listed"].items():
            found._listed[status] = Smallest.from_document(MAX_LISTED, rows)
        return found


def _examples(rows: Iterable[Mapping[str, Any]]) -> Smallest:
    found = Smallest(MAX_EXAMPLES)
    for row in rows:
        found.add(row, row["key"])
    return found
