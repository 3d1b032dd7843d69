"""The steps of a run without a state machine: planned, worked on as far as a test wants, reported.

Results are texts that tell recipe, stage and source: nobody decodes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.aggregate.slice_tally import aggregate_slice
from imagemill_app.plan.commit_plan import commit_plan
from imagemill_app.plan.draft import DraftedRun
from imagemill_app.plan.plan_run import plan_run
from imagemill_app.plan.plan_slice import SliceStep, plan_slice
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.results.job_record import job_record
from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import etag_of, write_bytes
from imagemill_contract import keys
from imagemill_contract.document_parts.pictures import Rendition
from imagemill_contract.documents import Shard, SourceObject, encode_journal, encode_outcomes
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status

INPUT, OUTPUT = "input-bucket", "output-bucket"
SETTINGS = PlanRunSettings(
    output_bucket_name=OUTPUT,
    max_parallel_jobs=4,
    min_shard_seconds=30,
    slice_objects=250_000,
    upload_recipe="{}",
    allow_file_uris=True,
    commit="",
    worker_image_uri="image",
    model_image_uri="model image",
)

Run = dict[str, Any]


def plan(
    request: Run, run_id: str = "run-1", minute: int = 1, settings: PlanRunSettings = SETTINGS
) -> Run:
    """Plan a run that is started in that minute. Raises RunRefused."""
    started = f"2026-11-23T10:{minute:02}:00.000Z"
    run = plan_run(run_id, started, request, settings)
    if isinstance(run, DraftedRun):
        run = planned_in_slices(run, settings)
    return asdict(run)


def planned_in_slices(drafted: DraftedRun, settings: PlanRunSettings) -> PlannedRun:
    """Go through the slices of a drafted run as the state machine does, and commit its plan."""
    output = Location.parse(drafted.output, "output")
    for number in range(drafted.ranges):
        step = SliceStep(number)
        while not step.is_last:
            step = plan_slice(drafted.run_id, output, step, settings)
    return commit_plan(drafted.run_id, output, settings)


def report(run: Run) -> RunVerdict:
    """Aggregate a run of which no job has failed."""
    for number in run["slices"] if len(run["slices"]) > 1 else ():
        aggregate_slice(run, number, {})
    return write_report(run, {}, 0, "2026-11-23T12:00:00.000Z")


class Worker:
    """Does the jobs of a planned run of files, and notes ETags in a bucket only, as jobs do."""

    def __init__(self, run: Run) -> None:
        self.run_id: str = run["run_id"]
        self.output = Location.parse(run["output"], "run.output")
        self.shards = list(planned_shards(self.output, self.run_id))
        self._rows: dict[tuple[Stage, str], Outcome] = {}

    @property
    def keys(self) -> list[str]:
        """What is to be done, in order."""
        return [item.key for shard in self.shards for item in shard.objects]

    def finish(self) -> None:
        """Write all results and outcome documents."""
        for shard in self.shards:
            for stage in stages_of(shard.recipe):
                outcomes = [self.written(shard, stage, item) for item in shard.objects]
                self.put_outcomes(shard, stage, outcomes)

    def begin(self, count: int, stages: Sequence[Stage] = ()) -> list[str]:
        """Do the first objects and note them in journals; their keys."""
        chosen = self.keys[:count]
        for shard in self.shards:
            objects = [item for item in shard.objects if item.key in chosen]
            for stage in (stages or stages_of(shard.recipe)) if objects else ():
                self.put_page(shard, stage, [self.written(shard, stage, it) for it in objects])
        return chosen

    def go_on(self, before: Iterable[str]) -> None:
        """Do what is not in `before`, whose rows are in journals, and end."""
        done = set(before)
        for shard in self.shards:
            for stage in stages_of(shard.recipe):
                known = job_record(shard, stage).outcomes
                rows = [
                    known[item.key] if item.key in done else self.written(shard, stage, item)
                    for item in shard.objects
                ]
                self.put_outcomes(shard, stage, rows)

    def write_results(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Write results without a word of it."""
        for shard in self.shards:
            for item in shard.objects:
                if wanted(item.key):
                    for stage in stages_of(shard.recipe):
                        self._rows[stage, item.key] = self.written(shard, stage, item)

    def record(self) -> None:
        """Write the outcome documents of results that were written without a word."""
        for shard in self.shards:
            for stage in stages_of(shard.recipe):
                self.put_outcomes(shard, stage, [self._rows[stage, it.key] for it in shard.objects])

    def record_failures(self) -> None:
        """End without a result."""
        for shard in self.shards:
            for stage, status, reason in (
                (Stage.RESIZE, Status.FAILED, Reason.STORE_ERROR),
                (Stage.EDGE, Status.SKIPPED, Reason.NO_RESIZED_IMAGE),
            ):
                rows = [Outcome(item.key, status, reason) for item in shard.objects]
                self.put_outcomes(shard, stage, rows)

    def put_outcomes(self, shard: Shard, stage: Stage, outcomes: Iterable[Outcome]) -> None:
        key = keys.outcome_key(self.run_id, stage, shard.shard_id)
        write_bytes(self.output, key, encode_outcomes({}, outcomes))

    def put_page(
        self,
        shard: Shard,
        stage: Stage,
        outcomes: Iterable[Outcome],
        page: str = "000000",
        **header: object,
    ) -> None:
        key = keys.journal_key(self.run_id, stage, shard.shard_id, page)
        write_bytes(self.output, key, encode_journal(header, outcomes))

    def written(self, shard: Shard, stage: Stage, item: SourceObject) -> Outcome:
        relative = keys.relative_key(item.key, shard.source.prefix)
        body = f"{shard.recipe.digest} {stage} {item.key} {item.etag}".encode()
        largest, *smaller = (
            self._put(key, body) for key in keys.output_keys(stage, relative, shard.recipe)
        )
        return Outcome(item.key, Status.WRITTEN, **largest._asdict(), smaller=tuple(smaller))

    def _put(self, key: str, body: bytes) -> Rendition:
        write_bytes(self.output, key, body)
        return Rendition(
            output_key=self.output.prefix + key,
            output_bytes=len(body),
            width=0,
            height=0,
            sha256=hashlib.sha256(body).hexdigest(),
            etag="" if self.output.is_file else etag_of(self.output, key) or "",
        )
