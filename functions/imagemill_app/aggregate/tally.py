"""Counts outcomes, and checks the conservation law.

For each stage, planned = written + skipped + rejected + failed, and each object counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, StageCounts, Status

# People read the report; the outcome documents hold all rows.
MAX_LISTED = 1000


@dataclass(frozen=True, slots=True)
class StageOutcome:
    stage: Stage
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunTally:
    """What became of all objects of a run.

    Attributes:
        stages: Counts for each stage.
        listed: Outcomes of rejected and failed objects, at most MAX_LISTED of each status.
        reasons: How often each reason was given, over all stages.
        output_bytes: Bytes that were written, over all stages.
    """

    stages: dict[Stage, StageCounts]
    listed: dict[Status, list[StageOutcome]]
    reasons: dict[str, int]
    output_bytes: int


@dataclass(slots=True)
class Counting:
    """A tally in progress: outcomes are added as they are read, and are not kept."""

    _statuses: dict[Stage, Counter[Status]] = field(
        default_factory=lambda: {stage: Counter() for stage in Stage}
    )
    _reasons: Counter[str] = field(default_factory=Counter)
    _listed: dict[Status, list[StageOutcome]] = field(
        default_factory=lambda: {Status.REJECTED: [], Status.FAILED: []}
    )
    _output_bytes: int = 0

    def add(self, stage: Stage, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._statuses[stage][outcome.status] += 1
            self._output_bytes += outcome.output_bytes
            rows = self._listed.get(outcome.status)
            if rows is not None:
                self._reasons[outcome.reason or "unknown"] += 1
                if len(rows) < MAX_LISTED:
                    rows.append(StageOutcome(stage, outcome))

    def tally(self, planned: int) -> RunTally:
        """The counts. Raises DocumentError unless each stage has exactly `planned` outcomes."""
        counts = {
            stage: StageCounts.of(planned, statuses.elements())
            for stage, statuses in self._statuses.items()
        }
        return RunTally(counts, self._listed, dict(self._reasons), self._output_bytes)


def listed_document(totals: RunTally) -> dict[str, object]:
    """The part of the report about outputs: bytes written, rejected and failed objects by name."""
    rows = {str(status): [_listed(row) for row in rows] for status, rows in totals.listed.items()}
    return {"output_bytes": totals.output_bytes, **rows}


def failed_percent(totals: RunTally) -> float:
    """Percentage of the planned objects that failed in any stage."""
    planned = totals.stages[Stage.RESIZE].planned
    failed = sum(counts.failed for counts in totals.stages.values())
    return 100 * failed / planned if planned else 0.0


def _listed(row: StageOutcome) -> Mapping[str, object]:
    return {"stage": str(row.stage), **row.outcome.to_row()}
