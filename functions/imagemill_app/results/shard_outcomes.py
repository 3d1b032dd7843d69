"""Reads the outcomes of a shard's objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_app.stores import read_bytes
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage, outcome_key
from imagemill_contract.outcomes import Outcome, Reason, Status


@dataclass(frozen=True, slots=True)
class ShardOutcomes:
    """Outcomes of a shard in one stage, and the header of its job's document, if there is one."""

    outcomes: list[Outcome]
    header: Mapping[str, object] = field(default_factory=dict)


def shard_outcomes(
    shard: Shard, stage: Stage, failure: str, before: Sequence[Outcome]
) -> ShardOutcomes:
    """One outcome for each object of a shard, even if its job left no document.

    Args:
        shard: What was planned.
        stage: Whose outcomes.
        failure: What is known about the shard's failed job, or "".
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


def skipped_after(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes of the next stage for objects that have no resized picture."""
    return [Outcome(item.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE) for item in outcomes]


def _outcomes_without_document(
    shard: Shard, failure: str, before: Sequence[Outcome]
) -> Iterator[Outcome]:
    detail = failure or "The job ended without an outcome document."
    has_picture = {item.key for item in before if item.status is Status.WRITTEN}
    for item in shard.objects:
        if before and item.key not in has_picture:
            yield Outcome(item.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE)
        else:
            yield Outcome(item.key, Status.FAILED, Reason.JOB_FAILED, detail)
