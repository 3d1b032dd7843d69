"""What a job has recorded, however it ended: its outcome document, or else its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

from obstore.exceptions import BaseError

from imagemill_app.stores import list_keys, read_bytes
from imagemill_contract.documents import Shard, decode_journal, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import (
    Stage,
    journal_folder,
    outcome_key,
    relative_key,
    stages_of,
    usage_key,
)
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.usage import Usage, usage_of_attempts
from imagemill_dataset.shards import DatasetShard

# Keys in the sentence that says what is wrong.
MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is known of a job's work.

    Attributes:
        outcomes: Outcomes of the objects that it has done, by their keys: all if it ended well.
        dataset_shards: What it has packed.
        verified: How many `shards` and `samples` of these it has read back.
        last_words: Why its last attempt ended, if it could say so; or "".
        is_complete: Whether there is an outcome document.
        usage: What its attempts have used, as far as they could say so.
        previews: Small copies of some of what it has packed.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    dataset_shards: list[DatasetShard] = field(default_factory=list)
    verified: Mapping[str, int] = field(default_factory=dict)
    last_words: str = ""
    is_complete: bool = False
    usage: Usage | None = None
    previews: Sequence[Preview] = ()


def job_record(shard: Shard, stage: Stage) -> JobRecord:
    """Read what there is. Raises DocumentError for an outcome document of other objects."""
    try:
        body = read_bytes(shard.output, outcome_key(shard.run_id, stage, shard.shard_id))
    except FileNotFoundError:
        return _from_journal(shard, stage)
    header, outcomes = decode_outcomes(body)
    keys = [outcome.key for outcome in outcomes]
    _check_keys(shard, stage, keys)
    verified = cast("Mapping[str, int]", header.get("verified", {}))
    return JobRecord(
        dict(zip(keys, outcomes, strict=True)),
        _dataset_shards(header),
        verified,
        is_complete=True,
        usage=_usage(shard, stage),
        previews=[Preview.from_row(row) for row in _rows(header, "previews")],
    )


def _usage(shard: Shard, stage: Stage) -> Usage | None:
    """What the job has used, if it could say so. No report fails for want of it."""
    with suppress(FileNotFoundError, DocumentError, BaseError):
        body = read_bytes(shard.output, usage_key(shard.run_id, stage, shard.shard_id))
        return Usage.decode(body)
    return None


def _check_keys(shard: Shard, stage: Stage, found: Sequence[str]) -> None:
    """Raises DocumentError, with names, unless each object has one outcome, in their order."""
    planned = [item.key for item in shard.objects]
    if planned == found:
        return
    counts = Counter(found)
    counts.subtract(planned)
    too_few = [key for key, count in counts.items() if count < 0]
    too_many = [key for key, count in counts.items() if count > 0]
    named = [
        f"{len(names)} {what}: {', '.join(names[:MAX_NAMED])}"
        for what, names in (("have none", too_few), ("have one too many", too_many))
        if names
    ]
    raise DocumentError(
        f"The {stage} outcomes of shard {shard.shard_id} are not those of its objects; "
        f"{'; '.join(named) or 'their order differs'}."
    )


def _from_journal(shard: Shard, stage: Stage) -> JobRecord:
    """What all attempts have noted. A page that cannot be read is ignored."""
    outcomes: dict[str, Outcome] = {}
    dataset_shards: dict[str, DatasetShard] = {}
    last_words = ""
    headers: list[Mapping[str, object]] = []
    folder = journal_folder(shard.run_id, stage, shard.shard_id)
    for page in sorted(list_keys(shard.output, folder)):
        with suppress(FileNotFoundError, DocumentError, BaseError):
            header, rows = decode_journal(read_bytes(shard.output, page))
            headers.append(header)
            dataset_shards |= {item.key: item for item in _dataset_shards(header)}
            outcomes |= {row.key: row for row in rows}
            last_words = str(header.get("last_words", last_words))
    of_shard = {item.key for item in shard.objects}
    outcomes = {key: row for key, row in outcomes.items() if key in of_shard}
    if shard.recipe.is_packed and stage is stages_of(shard.recipe)[-1]:
        found = _of_closed_shards(shard, outcomes, dataset_shards.values())
    else:
        found = JobRecord(outcomes)
    usage = usage_of_attempts(headers)
    return replace(found, last_words=last_words, usage=usage if usage.attempts else None)


def _of_closed_shards(
    shard: Shard,
    outcomes: Mapping[str, Outcome],
    dataset_shards: Iterable[DatasetShard],
) -> JobRecord:
    """Only dataset shards all of whose samples are noted, and nothing that lies in others."""
    places = {
        key: relative_key(row.output_key, shard.output.prefix)
        for key, row in outcomes.items()
        if row.status is Status.WRITTEN and row.output_key
    }
    counts = Counter(places.values())
    closed = [item for item in dataset_shards if counts[item.key] == item.samples]
    names = {item.key for item in closed}
    kept = {
        key: row
        for key, row in outcomes.items()
        if row.status is not Status.WRITTEN or places.get(key) in names
    }
    samples = sum(item.samples for item in closed)
    return JobRecord(kept, closed, {"shards": len(closed), "samples": samples})


def _dataset_shards(header: Mapping[str, object]) -> list[DatasetShard]:
    return [DatasetShard.from_row(row) for row in _rows(header, "shards")]


def _rows(header: Mapping[str, object], name: str) -> list[Mapping[str, Any]]:
    return cast("list[Mapping[str, Any]]", header.get(name, []))
