"""Cuts objects into shards: how much work a job is given, and where the cuts lie."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from os.path import commonprefix

from imagemill_contract.documents import SourceObject

# Both measured: a vCPU does about 125 photographs of 670 KB a second. 0.5 ms of each are requests
# and bookkeeping, whatever its size.
BYTES_PER_VCPU_SECOND = 90_000_000
SECONDS_PER_OBJECT = 0.0005

# AWS Batch recommends jobs of 3 to 5 minutes; a short job spends most of its time starting.
MAX_SHARD_SECONDS = 300

# How far a cut may move from its ideal place to keep a prefix together, as a share of a shard.
CUT_LEEWAY = 0.1


def estimated_seconds(item: SourceObject) -> float:
    """Seconds of one vCPU that both stages of an object take."""
    return item.bytes / BYTES_PER_VCPU_SECOND + SECONDS_PER_OBJECT


def shard_count(total_seconds: float, max_parallel_jobs: float, min_shard_seconds: float) -> int:
    """How many jobs to cut the work into: as many as run at once, none too small or too large."""
    most = MAX_SHARD_SECONDS / (1 + 2 * CUT_LEEWAY)
    target = min(max(total_seconds / max_parallel_jobs, min_shard_seconds), most)
    return max(1, math.ceil(total_seconds / target))


def balanced_shards(
    objects: Sequence[SourceObject],
    max_parallel_jobs: float,
    *,
    min_shard_seconds: float,
    count: int | None = None,
) -> list[Sequence[SourceObject]]:
    """Cut objects, which come in key order, into shards of about equal work.

    Every object is in exactly one shard, in order; no shard is empty, and none has more than
    MAX_SHARD_SECONDS of work unless it is a single object. A cut lies where neighbouring keys have
    the least in common: between folders if there are any, or else between first characters of
    names. So prefixes stay together, and nobody has to say how deep they are.

    Args:
        objects: What is to be done.
        max_parallel_jobs: How many jobs run at once; of a slice, its share of them.
        min_shard_seconds: Least work of a shard.
        count: Cut into this many shards instead, if there are enough objects.
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


def _cuts(keys: Sequence[str], ends: Sequence[float], count: int) -> list[int]:
    """Where to cut, rising: each cut near its share of the work, where keys differ most."""
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
