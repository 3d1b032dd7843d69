"""One outcome for each object of a shard in each stage, whatever its jobs left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from obstore.exceptions import BaseError

from imagemill_app.results.job_record import JobRecord
from imagemill_app.stores import write_bytes
from imagemill_contract.documents import Shard, encode_outcomes
from imagemill_contract.keys import Stage, outcome_key, usage_key
from imagemill_contract.outcomes import Outcome, Reason, Status


def complete_outcomes(
    shard: Shard, record: JobRecord, failure: str, before: Mapping[Stage, Sequence[Outcome]]
) -> list[Outcome]:
    """Outcomes in shard order; an object that the job did not reach has failed.

    Args:
        shard: What was planned.
        record: What the job left.
        failure: What is known about the shard's failed job, or "".
        before: Outcomes of each stage before, in shard order; empty for the first stage.
    """
    if record.is_complete:  # then they are those of the shard, in its order
        return list(record.outcomes.values())
    return list(_outcomes(shard, record, failure, before))


def write_missing(
    shard: Shard, stage: Stage, record: JobRecord, outcomes: Sequence[Outcome]
) -> None:
    """Write the outcome document of a job that could not do so itself, and what it has used.

    Where that cannot be written either, the report is the only one that says what became of them.
    """
    if record.is_complete:
        return
    header: dict[str, object] = {
        "run_id": shard.run_id,
        "stage": str(stage),
        "shard_id": shard.shard_id,
        "planned": len(outcomes),
        "written_by": "aggregate_run",
    }
    if record.dataset_shards:
        header["shards"] = [item.to_row() for item in record.dataset_shards]
        header["verified"] = dict(record.verified)
    if record.usage is not None:
        place = usage_key(shard.run_id, stage, shard.shard_id)
        with suppress(BaseError):
            write_bytes(shard.output, place, record.usage.encode())
    key = outcome_key(shard.run_id, stage, shard.shard_id)
    with suppress(BaseError):
        write_bytes(shard.output, key, encode_outcomes(header, outcomes))


def _outcomes(
    shard: Shard, record: JobRecord, failure: str, before: Mapping[Stage, Sequence[Outcome]]
) -> Iterator[Outcome]:
    sentence = failure or "The job ended without an outcome document."
    detail = f"{sentence} {record.last_words}".rstrip()
    for place, item in enumerate(shard.objects):
        known = record.outcomes.get(item.key)
        if known is not None:
            yield known
        elif missing := _missing(before, place):
            yield Outcome(item.key, Status.SKIPPED, missing)
        else:
            yield Outcome(item.key, Status.FAILED, Reason.JOB_FAILED, detail)


def _missing(before: Mapping[Stage, Sequence[Outcome]], place: int) -> Reason | None:
    """Why a stage leaves out an object; None if all stages before have written something."""
    for stage, outcomes in before.items():
        if outcomes[place].status is not Status.WRITTEN:
            return stage.missing
    return None
