"""From objects to shards: how much work one job is given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage, output_key, relative_key
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import ImageFormat

# Both from the project's measurements: photographs of 670 KB at about 125 a second and vCPU,
# of which 0.5 ms are requests and bookkeeping, whatever the size.
BYTES_PER_VCPU_SECOND = 90_000_000
SECONDS_PER_OBJECT = 0.0005

# AWS Batch advises jobs of 3 to 5 minutes; under 30 s a job is mostly its own start.
MIN_SHARD_SECONDS = 30
MAX_SHARD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Collisions:
    """Objects that have an output key to themselves, and those that would overwrite another's."""

    kept: list[SourceObject]
    refused: list[Outcome]


def estimated_seconds(item: SourceObject) -> float:
    """Seconds of one vCPU that the resize and edge of an object take."""
    return item.bytes / BYTES_PER_VCPU_SECOND + SECONDS_PER_OBJECT


def shard_count(
    total_seconds: float, max_parallel_jobs: int, min_shard_seconds: float = MIN_SHARD_SECONDS
) -> int:
    """How many jobs the work is cut into: as many as run at once, none too small or too large."""
    wanted = total_seconds / max_parallel_jobs
    target = min(max(wanted, min_shard_seconds), MAX_SHARD_SECONDS)
    return max(1, math.ceil(total_seconds / target))


def balanced_shards(
    objects: Sequence[SourceObject],
    max_parallel_jobs: int,
    *,
    min_shard_seconds: float = MIN_SHARD_SECONDS,
    count: int | None = None,
) -> list[list[SourceObject]]:
    """Cut objects, which come in key order, into shards of about equal work.

    Neighbours stay together, so a prefix is in one shard or in neighbouring ones. Every object is
    in exactly one shard, and no shard is empty.
    """
    if not objects:
        return []
    seconds = [estimated_seconds(item) for item in objects]
    total = math.fsum(seconds)
    if count is None:
        count = shard_count(total, max_parallel_jobs, min_shard_seconds)
    shards: list[list[SourceObject]] = [[] for _ in range(count)]
    done = 0.0
    for item, share in zip(objects, seconds, strict=True):
        # the shard in which the middle of this object's work lies
        middle = (done + share / 2) / total
        shards[min(int(middle * count), count - 1)].append(item)
        done += share
    return [shard for shard in shards if shard]


def without_collisions(
    objects: Iterable[SourceObject], prefix: str, image_format: ImageFormat
) -> Collisions:
    """Refuse objects whose output would overwrite that of an object before them in key order.

    `a` and `a.jpg` would both become `resized/a.jpg`.
    """
    taken: dict[str, str] = {}
    kept: list[SourceObject] = []
    refused: list[Outcome] = []
    for item in objects:
        relative = relative_key(item.key, prefix)
        outputs = [output_key(stage, relative, image_format) for stage in Stage]
        other = next((taken[key] for key in outputs if key in taken), None)
        if other is None:
            taken.update(dict.fromkeys(outputs, item.key))
            kept.append(item)
        else:
            detail = f"Its result would overwrite that of {other}."
            refused.append(Outcome(item.key, Status.REJECTED, Reason.KEY_COLLISION, detail))
    return Collisions(kept, refused)
