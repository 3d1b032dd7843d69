"""From objects to shards: how much work one job is given, and where the cuts are."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from os.path import commonprefix

from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage, output_extension
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import ImageFormat

# Both from the project's measurements: photographs of 670 KB at about 125 a second and vCPU,
# of which 0.5 ms are requests and bookkeeping, whatever the size.
BYTES_PER_VCPU_SECOND = 90_000_000
SECONDS_PER_OBJECT = 0.0005

# AWS Batch advises jobs of 3 to 5 minutes; a short one is mostly its own start.
MAX_SHARD_SECONDS = 300

# A cut may lie so far from its ideal place, in shares of a shard, to keep a prefix together.
CUT_LEEWAY = 0.1


@dataclass(frozen=True, slots=True)
class Sifted:
    """Objects that jobs can be given, and why others cannot."""

    kept: list[SourceObject]
    refused: list[Outcome]


def estimated_seconds(item: SourceObject) -> float:
    """Seconds of one vCPU that the resize and edge of an object take."""
    return item.bytes / BYTES_PER_VCPU_SECOND + SECONDS_PER_OBJECT


def shard_count(total_seconds: float, max_parallel_jobs: int, min_shard_seconds: float) -> int:
    """How many jobs the work is cut into: as many as run at once, none too small or too large."""
    most = MAX_SHARD_SECONDS / (1 + 2 * CUT_LEEWAY)
    target = min(max(total_seconds / max_parallel_jobs, min_shard_seconds), most)
    return max(1, math.ceil(total_seconds / target))


def balanced_shards(
    objects: Sequence[SourceObject],
    max_parallel_jobs: int,
    *,
    min_shard_seconds: float,
    count: int | None = None,
) -> list[Sequence[SourceObject]]:
    """Cut objects, which come in key order, into shards of about equal work.

    Every object is in exactly one shard, in order; no shard is empty, and none has more than
    MAX_SHARD_SECONDS of work unless it is a single object. A cut lies where neighbouring keys have
    the least in common: between folders where there are any, between first characters of hash
    names elsewhere. So whole prefixes stay together, and nobody has to say how deep they are.

    Args:
        objects: What is to be done.
        max_parallel_jobs: How many jobs run at once.
        min_shard_seconds: Least work of a shard.
        count: This many shards instead, as far as there are objects.
    """
    ends = list(accumulate(map(estimated_seconds, objects)))
    if not ends:
        return []
    wanted = count or shard_count(ends[-1], max_parallel_jobs, min_shard_seconds)
    cuts = _cuts([item.key for item in objects], ends, wanted)
    borders = [0, *cuts, len(ends)]
    shards = [objects[first:last] for first, last in pairwise(borders)]
    if count:
        return shards
    return [piece for shard in shards for piece in _under_the_cap(shard)]


def without_collisions(objects: Iterable[SourceObject], image_format: ImageFormat) -> Sifted:
    """Refuse objects, which come in key order, whose output would overwrite that of another.

    A name that has the output's extension keeps it and any other gets it, so that `a` and `a.jpg`
    both become `resized/a.jpg`. The first in key order is kept.
    """
    extensions = {output_extension(stage, image_format) for stage in Stage}
    kept_keys: set[str] = set()
    kept: list[SourceObject] = []
    refused: list[Outcome] = []
    for item in objects:
        other = next((key for key in _same_output(item.key, extensions) if key in kept_keys), None)
        if other is None:
            kept_keys.add(item.key)
            kept.append(item)
        else:
            detail = f"Its result would overwrite that of {other}."
            refused.append(Outcome(item.key, Status.REJECTED, Reason.KEY_COLLISION, detail))
    return Sifted(kept, refused)


def _same_output(key: str, extensions: Iterable[str]) -> list[str]:
    """Keys before this one in key order that would have one of its output keys."""
    stems = [(key.removesuffix(ext), ext) for ext in extensions if key.endswith(ext)]
    return [stem for stem, ext in stems if stem and not stem.endswith(ext)]


def _cuts(keys: Sequence[str], ends: Sequence[float], count: int) -> list[int]:
    """Places between objects, rising: each near its share of the work, where keys differ most."""
    total, leeway = ends[-1], CUT_LEEWAY * ends[-1] / count
    cuts: list[int] = []
    for number in range(1, min(count, len(keys))):
        ideal = total * number / count
        # every shard before and after this cut needs an object
        least = (cuts[-1] if cuts else 0) + 1
        most = len(keys) - (min(count, len(keys)) - number)
        first = min(max(bisect_left(ends, ideal - leeway) + 1, least), most)
        last = min(max(bisect_left(ends, ideal + leeway), first), most)
        centre = min(max(bisect_left(ends, ideal) + 1, first), last)
        cuts.append(min(range(first, last + 1), key=lambda at: _cost(keys, at, centre)))
    return cuts


def _cost(keys: Sequence[str], at: int, centre: int) -> tuple[int, int]:
    alike = commonprefix([keys[at - 1], keys[at]])  # noqa: RUF071 # by characters: names may be hashes
    return len(alike), abs(at - centre)


def _under_the_cap(shard: Sequence[SourceObject]) -> Iterable[Sequence[SourceObject]]:
    first, seconds = 0, 0.0
    for place, item in enumerate(shard):
        share = estimated_seconds(item)
        if place > first and seconds + share > MAX_SHARD_SECONDS:
            yield shard[first:place]
            first, seconds = place, 0.0
        seconds += share
    yield shard[first:]
