"""Calculates the bill of a million photographs from the requests of one run and list prices.

The keys tell which requests grow with pictures, with work shards and with bytes; all others happen
once per run.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import dataclass

from benchmarks.photographs import ROOT, mean_bytes
from benchmarks.request_log import Kind, Request
from imagemill_contract import keys
from imagemill_contract.documents import SourceObject
from imagemill_contract.recipe import Output
from imagemill_contract.reporting.prices import prices_of

sys.path.append(str(ROOT / "functions"))

from imagemill_app.plan import estimates, sharding

MILLION = 1_000_000
PARALLEL_JOBS, MIN_SHARD_SECONDS = 256, 30  # defaults of MaxvCpus and MinShardSeconds
LISTINGS = 1075  # of a million keys, as README.md has it: 1,000 pages and what finds the borders
WORKER_PART_BYTES, HANDLER_PART_BYTES = 16 << 20, 5 << 20  # the second is obstore's own choice
TAR_BYTES = 768  # of a member's header and padding
DOLLARS_PER_VCPU_HOUR = (0.012, 0.018)  # Spot, November 2026


@dataclass(frozen=True)
class Run:
    """What was seen of one run; `stored_bytes` are the lengths of all objects written, by key."""

    requests: list[Request]
    stored_bytes: dict[str, int]
    prefix: str
    objects: int

    @property
    def shards(self) -> int:
        return sum("/shards/" in key for key in self.stored_bytes)


@dataclass(frozen=True)
class Jobs:
    """What both jobs of a photograph take, and the bytes that they write."""

    cpu_seconds: float
    picture_bytes: float
    packed_bytes: float  # in dataset shards


@dataclass(frozen=True)
class Bill:
    """The bill of a million photographs; `put` includes LIST, which costs the same."""

    put: float
    get: float
    vcpu_hours: float
    functions_dollars: float  # Lambda and Step Functions

    @property
    def requests_dollars(self) -> float:
        prices = prices_of()
        return self.put * prices.put + self.get * prices.get


def work_shards() -> int:
    """How many work shards the planner makes from a million photographs."""
    photograph = SourceObject("a", "e", round(mean_bytes()))
    seconds = MILLION * sharding.estimated_seconds(photograph)
    return sharding.shard_count(seconds, PARALLEL_JOBS, MIN_SHARD_SECONDS)


def bill_of(run: Run, jobs: Jobs, shards: int, output: Output) -> Bill:
    counts = dict.fromkeys(Kind, 0.0)
    written = Counter(item.key for item in run.requests if item.kind is Kind.PUT)
    for item in run.requests:
        share = written[item.key] if item.kind is Kind.PUT else 1  # parts of one upload
        counts[item.kind] += _times(item, run, jobs, shards) / share
    total_bytes = round(MILLION * mean_bytes())
    is_packed = output is not Output.FILES
    forecast = estimates.estimate(MILLION, total_bytes, shards, PARALLEL_JOBS, packed=is_packed)
    return Bill(
        put=counts[Kind.PUT] + counts[Kind.LIST],
        get=counts[Kind.GET],
        vcpu_hours=MILLION * jobs.cpu_seconds / 3600,
        functions_dollars=forecast.dollars["step_functions"] + forecast.dollars["lambda"],
    )


def _times(item: Request, run: Run, jobs: Jobs, shards: int) -> float:
    """How many requests a million photographs make for each request like this one.

    For an object written in parts, how many for each such object.
    """
    if item.kind is Kind.LIST:
        return LISTINGS / _source_listings(run) if item.query["prefix"] == run.prefix else 1
    if item.key.startswith((run.prefix, "resized/", "edges/")):
        return MILLION / run.objects
    if item.key.startswith((keys.INTERMEDIATE, keys.DATASET + "images-")):
        size = MILLION / shards * _bytes_of_one(item.key, jobs)
        each = uploads(size, WORKER_PART_BYTES) if item.kind is Kind.PUT else 1
        return shards / run.shards * each
    if "/shards/" in item.key or "/outcomes/" in item.key:
        return shards / run.shards
    if item.kind is Kind.PUT and item.key.startswith((keys.INDEX, keys.INDEX_TABLE)):
        size = MILLION / run.objects * run.stored_bytes[item.key]
        return uploads(size, HANDLER_PART_BYTES)
    return 1


def uploads(size_bytes: float, part_bytes: int) -> int:
    """Requests that write an object: one, or one per part plus the start and the end."""
    return 1 if size_bytes <= part_bytes else math.ceil(size_bytes / part_bytes) + 2


def _bytes_of_one(key: str, jobs: Jobs) -> float:
    if key.startswith(keys.INTERMEDIATE):
        return jobs.picture_bytes + TAR_BYTES
    return jobs.packed_bytes


def _source_listings(run: Run) -> int:
    listings = (item for item in run.requests if item.kind is Kind.LIST)
    return sum(item.query["prefix"] == run.prefix for item in listings)
