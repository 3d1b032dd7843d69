"""How many requests and transitions a run makes, by what it has to do."""

from __future__ import annotations

import math

from imagemill_contract.reporting.request_counts import pages_of

TRANSITIONS_PER_RUN = 9
TRANSITIONS_PER_SHARD = 5  # and one for each stage
PACKED_PUTS_PER_SHARD = 12  # documents, and start and end of each multipart upload
PACKED_PART_BYTES = 16_000_000  # of a multipart upload: one PUT, and one GET to read it back


def transitions(shards: int, stages: int) -> int:
    """Transitions of the state machine; those that are repeated are not known before."""
    return TRANSITIONS_PER_RUN + shards * (TRANSITIONS_PER_SHARD + stages)


def requests(
    objects: int, total_bytes: int, shards: int, *, packed: bool, stages: int
) -> dict[str, int]:
    """Requests to S3, by kind, of a run that writes one object per picture and stage, or shards."""
    if packed:
        return _packed(objects, total_bytes, shards)
    return {
        "get": stages * objects + 4 * stages * shards,
        "put": stages * objects + (2 * stages + 1) * shards + 4,
        "list": (stages + 1) * pages_of(objects),  # the source, and the outputs of each stage
    }


def _packed(objects: int, total_bytes: int, shards: int) -> dict[str, int]:
    """Assumes that the packed bytes are as many as those of the sources, at most."""
    parts = math.ceil(total_bytes / PACKED_PART_BYTES)
    return {
        "get": objects + parts + 10 * shards,
        "put": parts + PACKED_PUTS_PER_SHARD * shards + 9,
        "list": pages_of(objects) + 3,
    }
