"""A run whose steps are taken one by one: planned, worked on by real jobs, reported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chaos.blows import Blow, Ring
from benchmarks.chaos.jobs import ATTEMPTS, Attempt, is_tried_again
from benchmarks.chaos.places import Place
from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.plan.plan_run import plan_run
from imagemill_app.results.planned_shards import shard_addresses
from imagemill_app.settings import PlanRunSettings
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.recipe import Recipe

_SHARDS_AT_ONCE = 2

BlowsOf = Callable[[Stage, int], list[list[Blow]]]


def no_blows(_stage: Stage, _shard: int) -> list[list[Blow]]:
    return []


@dataclass
class StepRun:
    """One run.

    Attributes:
        logs: A folder for what its jobs say.
        pace: See `pace`; None for the worker's own.
        picture_seconds: What a picture takes beside its work.
        codes: How attempts have ended, by stage and shard.
        abandoned: Set when nobody goes on with it: no further attempt, and no report.
        living: Attempts that have not been seen to end.
    """

    place: Place
    run_id: str
    recipe: dict[str, object]
    logs: Path
    ring: Ring
    pace: Path | None = None
    picture_seconds: float = 0.0
    run: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, list[int]] = field(default_factory=dict)
    abandoned: threading.Event = field(default_factory=threading.Event)
    living: list[Attempt] = field(default_factory=list)
    failures: dict[str, JobFailure] = field(default_factory=dict)

    def plan(self, **fields: object) -> None:
        """Raises RunRefused."""
        output = self.place.output
        bucket = "bucket" if output.is_file else output.bucket
        settings = PlanRunSettings(
            bucket, 4, 30, 250_000, "{}", allow_file_uris=True, commit="", worker_image_uri="image"
        )
        document = {"source": str(self.place.source), "recipe": self.recipe, **fields}
        if output.is_file:
            document["output"] = str(output)
        started = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        self.run = asdict(plan_run(self.run_id, started, document, settings))

    def work(self, blows_of: BlowsOf = no_blows) -> None:
        """Do all jobs, as the state machine orders them."""
        addresses = shard_addresses(self.place.output, self.run_id)
        with ThreadPoolExecutor(_SHARDS_AT_ONCE) as pool:
            list(
                pool.map(
                    lambda pair: self._do_shard(pair[0], pair[1], blows_of), enumerate(addresses)
                )
            )

    def report(self) -> RunVerdict:
        return write_report(self.run, self.failures, 0, self.run["started"])

    def abandon(self, number: int) -> None:
        """Nobody goes on with the run; its processes are sent a signal."""
        self.abandoned.set()
        for attempt in tuple(self.living):
            attempt.signal(number)

    def bury(self) -> None:
        """Wait until all that was held goes on, and all processes have ended."""
        self.ring.settle()
        while self.living:
            self.living.pop().ended()

    def _do_shard(self, number: int, address: str, blows_of: BlowsOf) -> None:
        for stage in stages_of(Recipe()):
            code = self._do_job(stage, number, address, blows_of(stage, number))
            if self.abandoned.is_set():
                return
            if code != 0:
                name = f"{number:05d}"
                self.failures[name] = JobFailure(str(stage), f"exit code {code}")
                return

    def _do_job(self, stage: Stage, number: int, address: str, blows: list[list[Blow]]) -> int:
        log = self.logs / f"{self.run_id}-{stage}-{number}.log"
        codes = self.codes.setdefault(f"{stage} {number}", [])
        while len(codes) < ATTEMPTS and not self.abandoned.is_set():
            attempt = Attempt.start(
                self.place, stage, address, log, self.pace, self.picture_seconds
            )
            self.living.append(attempt)
            mine = blows[len(codes)] if len(codes) < len(blows) else []
            if self.ring.deal(attempt, mine):
                codes.append(-100)  # taken for dead
                continue
            codes.append(attempt.process.returncode)
            if not is_tried_again(codes[-1]):
                return codes[-1]
        return codes[-1] if codes else 0
