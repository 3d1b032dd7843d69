"""The forecast of a run: minutes, and dollars by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from imagemill_app.plan.sharding import BYTES_PER_VCPU_SECOND, SECONDS_PER_OBJECT
from imagemill_app.request_forecast import requests, transitions
from imagemill_contract.keys import Stage
from imagemill_contract.reporting.prices import prices_of

PLANNER_GB, PLANNER_SECONDS_PER_OBJECT = 2.0, 50e-6
JOB_START_SECONDS = 2.0  # of each of a shard's jobs
# Resampled, encoded and searched for edges at some 256 x 256 (benchmarks/sizes.py)
SECONDS_PER_FURTHER_SIZE = 0.003
# Of a small network, such as MobileNet at 224 x 224; how slow one is nobody knows before.
MODEL_SECONDS_PER_OBJECT = 0.03


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
    objects: int,
    total_bytes: int,
    shards: int,
    max_parallel_jobs: int,
    *,
    packed: bool = False,
    stages: Sequence[Stage] = (Stage.RESIZE, Stage.EDGE),
    sizes: int = 1,
) -> Estimate:
    """Forecast a run that writes an object per picture, stage and size, or `packed` shards."""
    seconds = total_bytes / BYTES_PER_VCPU_SECOND + objects * SECONDS_PER_OBJECT
    seconds += objects * (sizes - 1) * SECONDS_PER_FURTHER_SIZE
    seconds += shards * len(stages) * JOB_START_SECONDS
    seconds += objects * MODEL_SECONDS_PER_OBJECT if Stage.MODEL in stages else 0
    parallel = min(shards, max_parallel_jobs)
    planner_seconds = 2 * (1 + objects * PLANNER_SECONDS_PER_OBJECT)  # plan and aggregate
    prices = prices_of()
    asked = requests(objects, total_bytes, shards, packed=packed, stages=stages, sizes=sizes)
    dollars = {
        "vcpu": seconds / 3600 * prices.vcpu_hour,
        **{kind: count * prices.of_request(kind) for kind, count in asked.items()},
        "step_functions": transitions(shards, len(stages)) * prices.transition,
        "lambda": planner_seconds * PLANNER_GB * prices.lambda_gb_second,
    }
    minutes = seconds / max(parallel, 1) / 60
    return Estimate(parallel, round(minutes, 2), {k: round(v, 6) for k, v in dollars.items()})
