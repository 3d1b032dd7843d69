"""Cuts objects into shards: how much work a job is given, and where the cuts lie."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from os.path import commonprefix

from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.recipe import Recipe
from imagemill_dataset.names import in_order

# Both measured: a vCPU does about 125 photographs of 670 KB a second. 0.5 ms of each are requests
# and bookkeeping, whatever its size.
BYTES_PER_VCPU_SECOND = 90_000_000
SECONDS_PER_OBJECT = 0.0005

# AWS Batch recommends jobs of 3 to 5 minutes; a short job spends most of its time starting.
MAX_SHARD_SECONDS = 300

# The usual most: some shards become longer, where a cut has moved or pictures are slow.
USUAL_SHARD_SECONDS = 250

# A function that aggregates holds one shard at a time: this many objects are 250 MiB.
MAX_SHARD_OBJECTS = 50_000

# How far a cut may move from its ideal place, as a share of a shard: to keep a folder together, and
# to keep together names that begin alike. A run waits for its longest shard.
FOLDER_LEEWAY, NAME_LEEWAY = 0.1, 0.01


def estimated_seconds(item: SourceObject) -> float:
    """Seconds of one vCPU that both stages of an object take."""
    return item.bytes / BYTES_PER_VCPU_SECOND + SECONDS_PER_OBJECT


def shard_count(total_seconds: float, max_parallel_jobs: float, min_shard_seconds: float) -> int:
    """How many jobs to cut the work into: as many as run at once, none too small or too large."""
    target = min(max(total_seconds / max_parallel_jobs, min_shard_seconds), USUAL_SHARD_SECONDS)
    return max(1, math.ceil(total_seconds / target))


def in_cutting_order(
    objects: Sequence[SourceObject], prefix: str, recipe: Recipe
) -> Sequence[SourceObject]:
    """Objects below a source's prefix in the order in which they are cut into shards.

    That is key order as it is given, or shuffled, so that each shard is a fair sample of them.
    """
    if not recipe.shuffle:
        return objects
    by_name = {relative_key(item.key, prefix): item for item in objects}
    return [by_name[name] for name in in_order(by_name, recipe)]


def balanced_shards(
    objects: Sequence[SourceObject],
    max_parallel_jobs: float,
    *,
    min_shard_seconds: float,
    count: int | None = None,
) -> list[Sequence[SourceObject]]:
    """Cut objects, which come in key order or shuffled, into shards of about equal work.

    Every object is in exactly one shard, in order; no shard is empty, and none has more than
    MAX_SHARD_OBJECTS, or more than MAX_SHARD_SECONDS of work unless it is a single object. A cut
    lies where neighbouring keys have the least in common: between folders if there are any, or else
    between first characters of names. So prefixes stay together, and nobody has to say how deep
    they are.

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
    shard_seconds = ends[-1] / count
    cuts: list[int] = []
    for number in range(1, min(count, len(keys))):
        ideal = shard_seconds * number
        # every shard before and after this cut needs an object
        least = (cuts[-1] if cuts else 0) + 1
        most = len(keys) - (min(count, len(keys)) - number)
        centre = min(max(bisect_left(ends, ideal) + 1, least), most)

        borders = [
            at
            for at in _places(ends, ideal, FOLDER_LEEWAY * shard_seconds)
            if least <= at <= most and _is_border(keys, at)
        ]
        near = _places(ends, ideal, NAME_LEEWAY * shard_seconds)
        places = borders or [at for at in near if least <= at <= most] or [centre]
        cuts.append(min(places, key=lambda at: _cost(keys, at, centre)))
    return cuts


def _places(ends: Sequence[float], ideal: float, leeway: float) -> range:
    """Where the work before a cut is the ideal, give or take some seconds."""
    return range(bisect_left(ends, ideal - leeway) + 1, bisect_left(ends, ideal + leeway) + 1)


def _is_border(keys: Sequence[str], at: int) -> bool:
    """Whether a folder ends before this place."""
    return keys[at - 1].rpartition("/")[0] != keys[at].rpartition("/")[0]


def _cost(keys: Sequence[str], at: int, centre: int) -> tuple[int, int]:
    alike = commonprefix([keys[at - 1], keys[at]])  # noqa: RUF071 # by characters: names may be hashes
    return len(alike), abs(at - centre)


def _under_the_cap(shard: Sequence[SourceObject]) -> Iterable[Sequence[SourceObject]]:
    first, seconds = 0, 0.0
    for place, item in enumerate(shard):
        share = estimated_seconds(item)
        is_full = seconds + share > MAX_SHARD_SECONDS or place - first == MAX_SHARD_OBJECTS
        if place > first and is_full:
            yield shard[first:place]
            first, seconds = place, 0.0
        seconds += share
    yield shard[first:]
