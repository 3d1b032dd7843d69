"""From outcome documents to the report of a run, by the conservation law.

For each stage: planned = written + skipped + rejected + failed, each object exactly once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.stores import read_bytes
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage, outcome_key, refused_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, StageCounts, Status

# A report is read by people: the outcome documents hold all rows.
MAX_LISTED = 1000


@dataclass(frozen=True, slots=True)
class StageOutcome:
    stage: Stage
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ShardOutcomes:
    """Outcomes of a shard in one stage, and what its job says of them all; empty without a job."""

    outcomes: list[Outcome]
    header: Mapping[str, object] = field(default_factory=dict)


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


def shard_outcomes(
    shard: Shard, stage: Stage, failure: JobFailure | None, before: Sequence[Outcome]
) -> ShardOutcomes:
    """One outcome for each object of a shard, also where its job left no document.

    Args:
        shard: What was planned.
        stage: Whose outcomes.
        failure: What is known of the shard's failed job, if anything.
        before: Outcomes of the stage before, in shard order; empty for the first stage.

    Raises:
        DocumentError: The document does not hold exactly the objects of the shard.
    """
    try:
        body = read_bytes(shard.output, outcome_key(shard.run_id, stage, shard.shard_id))
    except FileNotFoundError:
        return ShardOutcomes(list(_outcomes_without_document(shard, failure, before)))
    header, outcomes = decode_outcomes(body)
    if [item.key for item in shard.objects] != [outcome.key for outcome in outcomes]:
        raise DocumentError(
            f"The {stage} outcomes of shard {shard.shard_id} are not those of its objects."
        )
    return ShardOutcomes(outcomes, header)


def refused_outcomes(run_id: str, output: Location) -> list[Outcome]:
    """Outcomes of the objects that were never given to a job."""
    return decode_outcomes(read_bytes(output, refused_key(run_id)))[1]


def skipped_after(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What the next stage makes of objects that have no resized picture."""
    return [Outcome(item.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE) for item in outcomes]


def tally(outcomes: Iterable[StageOutcome], planned: int) -> RunTally:
    """Count outcomes. Raises DocumentError when a stage has not exactly `planned` of them."""
    statuses: dict[Stage, list[Status]] = {stage: [] for stage in Stage}
    listed: dict[Status, list[StageOutcome]] = {Status.REJECTED: [], Status.FAILED: []}
    reasons: Counter[str] = Counter()
    output_bytes = 0
    for row in outcomes:
        statuses[row.stage].append(row.outcome.status)
        output_bytes += row.outcome.output_bytes
        rows = listed.get(row.outcome.status)
        if rows is not None:
            reasons[row.outcome.reason or "unknown"] += 1
            if len(rows) < MAX_LISTED:
                rows.append(row)
    counts = {stage: StageCounts.of(planned, statuses[stage]) for stage in Stage}
    return RunTally(counts, listed, dict(reasons), output_bytes)


def listed_document(totals: RunTally) -> dict[str, object]:
    """What the report lists by name: rejected and failed objects, and what was written."""
    rows = {str(status): [_listed(row) for row in rows] for status, rows in totals.listed.items()}
    return {"output_bytes": totals.output_bytes, **rows}


def failed_percent(totals: RunTally) -> float:
    """Share of objects that were given up in any stage, in percent of the planned ones."""
    planned = totals.stages[Stage.RESIZE].planned
    failed = sum(counts.failed for counts in totals.stages.values())
    return 100 * failed / planned if planned else 0.0


def _listed(row: StageOutcome) -> Mapping[str, object]:
    return {"stage": str(row.stage), **row.outcome.to_row()}


def _outcomes_without_document(
    shard: Shard, failure: JobFailure | None, before: Sequence[Outcome]
) -> Iterator[Outcome]:
    detail = str(failure) if failure else "The job ended without an outcome document."
    has_picture = {item.key for item in before if item.status is Status.WRITTEN}
    for item in shard.objects:
        if before and item.key not in has_picture:
            yield Outcome(item.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE)
        else:
            yield Outcome(item.key, Status.FAILED, Reason.JOB_FAILED, detail)
