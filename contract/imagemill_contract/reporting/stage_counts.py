"""How many objects of a stage ended in which way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from imagemill_contract.errors import DocumentError
from imagemill_contract.outcomes import Status


@dataclass(frozen=True, slots=True)
class StageCounts:
    """How the objects of one stage ended. `of` makes sure that the parts add up to `planned`."""

    planned: int
    written: int
    skipped: int
    rejected: int
    failed: int

    @classmethod
    def of(cls, planned: int, statuses: Iterable[Status]) -> StageCounts:
        """Count statuses. Raises DocumentError if there are more or fewer than `planned`."""
        return cls.of_counts(planned, Counter(statuses))

    @classmethod
    def of_counts(cls, planned: int, counts: Counter[Status]) -> StageCounts:
        """Counted statuses. Raises DocumentError if they are more or fewer than `planned`."""
        if counts.total() != planned:
            raise DocumentError(
                f"{planned} objects were planned, but {counts.total()} have an outcome."
            )
        return cls(planned, *(counts[status] for status in Status))
