"""The forecast of a run: minutes, and dollars by kind."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from imagemill_app.plan.sharding import BYTES_PER_VCPU_SECOND, SECONDS_PER_OBJECT

# List prices of us-east-1, November 2026.
DOLLARS_PER_VCPU_HOUR = 0.0155  # Spot, Graviton c-family: between 0.012 and 0.018
DOLLARS_PER_GET = 0.0004 / 1000
DOLLARS_PER_PUT = 0.005 / 1000  # and LIST
DOLLARS_PER_TRANSITION = 0.025 / 1000  # Step Functions, standard workflow
DOLLARS_PER_LAMBDA_GB_SECOND = 0.0000133334  # arm64
TRANSITIONS_PER_RUN = 8
TRANSITIONS_PER_SHARD = 5
LIST_PAGE_OBJECTS = 1000
PLANNER_GB, PLANNER_SECONDS_PER_OBJECT = 2.0, 50e-6
JOB_START_SECONDS = 2.0  # of each of a shard's two jobs
PACKED_PUTS_PER_SHARD = 10  # documents, and start and end of each multipart upload
PACKED_PART_BYTES = 16_000_000  # of a multipart upload: one PUT, and one GET to read it back


@dataclass(frozen=True, slots=True)
class Estimate:
    """The forecast of a run. Dollars are list prices, without free tiers."""

    parallel_jobs: int
    minutes: float
    dollars: dict[str, float]

    @property
    def total_dollars(self) -> float:
        return round(sum(self.dollars.values()), 6)

    def to_document(self) -> dict[str, object]:
        return {**asdict(self), "total_dollars": self.total_dollars}


def estimate(
    objects: int, total_bytes: int, shards: int, max_parallel_jobs: int, *, packed: bool = False
) -> Estimate:
    """Forecast a run that writes one object per picture and stage, or `packed` dataset shards."""
    seconds = total_bytes / BYTES_PER_VCPU_SECOND + objects * SECONDS_PER_OBJECT
    seconds += shards * 2 * JOB_START_SECONDS
    parallel = min(shards, max_parallel_jobs)
    planner_seconds = 2 * (1 + objects * PLANNER_SECONDS_PER_OBJECT)  # plan and aggregate
    transitions = TRANSITIONS_PER_RUN + shards * TRANSITIONS_PER_SHARD
    requests = _packed_requests if packed else _file_requests
    dollars = {
        "vcpu": seconds / 3600 * DOLLARS_PER_VCPU_HOUR,
        **requests(objects, total_bytes, shards),
        "step_functions": transitions * DOLLARS_PER_TRANSITION,
        "lambda": planner_seconds * PLANNER_GB * DOLLARS_PER_LAMBDA_GB_SECOND,
    }
    minutes = seconds / max(parallel, 1) / 60
    return Estimate(parallel, round(minutes, 2), {k: round(v, 6) for k, v in dollars.items()})


def _file_requests(objects: int, total_bytes: int, shards: int) -> dict[str, float]:
    """Dollars for requests to S3. Listed are the source and both kinds of outputs."""
    return {
        "get": (2 * objects + 6 * shards) * DOLLARS_PER_GET,
        "put": (2 * objects + 3 * shards + 4) * DOLLARS_PER_PUT,
        "list": 3 * _pages(objects) * DOLLARS_PER_PUT,
    }


def _packed_requests(objects: int, total_bytes: int, shards: int) -> dict[str, float]:
    """As for files. Assumes that the packed bytes are as many as those of the sources, at most."""
    parts = math.ceil(total_bytes / PACKED_PART_BYTES)
    return {
        "get": (objects + parts + 8 * shards) * DOLLARS_PER_GET,
        "put": (parts + PACKED_PUTS_PER_SHARD * shards + 9) * DOLLARS_PER_PUT,
        "list": (_pages(objects) + 3) * DOLLARS_PER_PUT,
    }


def _pages(objects: int) -> int:
    return math.ceil(objects / LIST_PAGE_OBJECTS)
