"""The forecast of a run: minutes, and dollars by kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from imagemill_app.plan.sharding import BYTES_PER_VCPU_SECOND, SECONDS_PER_OBJECT
from imagemill_app.request_forecast import requests, transitions
from imagemill_contract.reporting.prices import prices_of

PLANNER_GB, PLANNER_SECONDS_PER_OBJECT = 2.0, 50e-6
JOB_START_SECONDS = 2.0  # of each of a shard's jobs
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
    stages: int = 2,
    has_model: bool = False,
) -> Estimate:
    """Forecast a run that writes one object per picture and stage, or `packed` dataset shards."""
    seconds = total_bytes / BYTES_PER_VCPU_SECOND + objects * SECONDS_PER_OBJECT
    seconds += shards * stages * JOB_START_SECONDS
    seconds += objects * MODEL_SECONDS_PER_OBJECT if has_model else 0
    parallel = min(shards, max_parallel_jobs)
    planner_seconds = 2 * (1 + objects * PLANNER_SECONDS_PER_OBJECT)  # plan and aggregate
    prices = prices_of()
    asked = requests(objects, total_bytes, shards, packed=packed, stages=stages)
    dollars = {
        "vcpu": seconds / 3600 * prices.vcpu_hour,
        **{kind: count * prices.of_request(kind) for kind, count in asked.items()},
        "step_functions": transitions(shards, stages) * prices.transition,
        "lambda": planner_seconds * PLANNER_GB * prices.lambda_gb_second,
    }
    minutes = seconds / max(parallel, 1) / 60
    return Estimate(parallel, round(minutes, 2), {k: round(v, 6) for k, v in dollars.items()})
