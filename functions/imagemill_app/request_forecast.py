"""How many requests and transitions a run makes, by what it has to do."""

from __future__ import annotations

import math
from collections.abc import Sequence

from imagemill_contract.keys import Stage
from imagemill_contract.reporting.request_counts import pages_of

TRANSITIONS_PER_RUN = 9
TRANSITIONS_PER_SHARD = 3  # and two for each stage
PACKED_PUTS_PER_SHARD = 12  # documents, and start and end of each multipart upload
PACKED_PUTS_OF_STAGE = 3  # piece, usage and outcomes
PACKED_PART_BYTES = 16_000_000  # of a multipart upload: one PUT, and one GET to read it back


def transitions(shards: int, stages: int) -> int:
    """Transitions of the state machine; those that are repeated are not known before."""
    return TRANSITIONS_PER_RUN + shards * (TRANSITIONS_PER_SHARD + 2 * stages)


def requests(
    objects: int,
    total_bytes: int,
    shards: int,
    *,
    packed: bool,
    stages: Sequence[Stage],
    sizes: int,
) -> dict[str, int]:
    """Requests to S3, by kind; of a run of files, an object per picture, stage and size."""
    if packed:
        return _packed(objects, total_bytes, shards, max(0, len(stages) - 2))
    count = len(stages)
    results = sum(sizes if stage.entry.in_sizes else 1 for stage in stages)
    read = results - sizes + 1  # all sizes of a picture are made of one source
    return {
        "get": read * objects + 4 * count * shards,
        "put": results * objects + (2 * count + 1) * shards + 4,
        "list": pages_of(objects) * (1 + results),  # the source, and the outputs of each stage
    }


def _packed(objects: int, total_bytes: int, shards: int, between: int) -> dict[str, int]:
    """Assumes that the packed bytes are as many as those of the sources, at most.

    `between` is the number of stages between the first and the one that packs: each reads the
    intermediate shard, and leaves one piece.
    """
    parts = math.ceil(total_bytes / PACKED_PART_BYTES)
    return {
        "get": objects + parts + 10 * (1 + between) * shards,
        "put": parts + (PACKED_PUTS_PER_SHARD + PACKED_PUTS_OF_STAGE * between) * shards + 9,
        "list": pages_of(objects) + 3 + between * shards,
    }
