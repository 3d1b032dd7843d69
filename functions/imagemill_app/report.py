"""The report of a run: what a person and a machine read when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from imagemill_app.aggregation import (
    RunTally,
    StageOutcome,
    failed_percent,
    listed_document,
    refused_outcomes,
    shard_outcomes,
    skipped_after,
    tally,
)
from imagemill_app.map_results import JobFailure
from imagemill_app.stores import read_bytes, store_of, write_bytes
from imagemill_contract.documents import Shard
from imagemill_contract.keys import Stage, plan_key, report_key
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """How a run ended. The state machine reads `verdict` and shows `sentence`."""

    report: str
    verdict: str
    sentence: str
    stages: dict[str, dict[str, int]]
    reasons: dict[str, int]


def write_report(
    run: Mapping[str, Any], failures: Mapping[str, JobFailure], tolerated_percent: float
) -> RunVerdict:
    """Read all outcomes of a planned run, write its report, and return the verdict.

    Raises DocumentError when an object has no outcome, or two.
    """
    output = Location.parse(run["output"], "run.output")
    totals = tally(_all_outcomes(run, output, failures), run["objects"] + run["refused"])
    output_address = output.address_of(output.prefix + report_key(run["run_id"]))
    verdict = RunVerdict(
        report=output_address,
        verdict="succeeded" if failed_percent(totals) <= tolerated_percent else "failed",
        sentence=_sentence(totals, tolerated_percent),
        stages={str(stage): asdict(counts) for stage, counts in totals.stages.items()},
        reasons=totals.reasons,
    )
    report = {"v": 1, **run, **asdict(verdict), **listed_document(totals)}
    body = json.dumps(report, ensure_ascii=False, indent=2).encode()
    write_bytes(output, report_key(run["run_id"]), body)
    return verdict


def _all_outcomes(
    run: Mapping[str, Any], output: Location, failures: Mapping[str, JobFailure]
) -> Iterator[StageOutcome]:
    refused = refused_outcomes(run["run_id"], output)
    yield from _rows(Stage.RESIZE, refused)
    yield from _rows(Stage.EDGE, skipped_after(refused))
    for item in json.loads(read_bytes(output, plan_key(run["run_id"]))):
        shard = _shard_at(item["shard"])
        failure = failures.get(shard.shard_id)
        before: list[Outcome] = []
        for stage in Stage:
            before = shard_outcomes(shard, stage, failure, before)
            yield from _rows(stage, before)


def _shard_at(address: str) -> Shard:
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def _rows(stage: Stage, outcomes: list[Outcome]) -> Iterator[StageOutcome]:
    return (StageOutcome(stage, outcome) for outcome in outcomes)


def _sentence(totals: RunTally, tolerated_percent: float) -> str:
    resize, edge = totals.stages[Stage.RESIZE], totals.stages[Stage.EDGE]
    text = (
        f"{resize.written} of {resize.planned} pictures resized, {edge.written} edge maps, "
        f"{resize.rejected + edge.rejected} rejected"
    )
    if resize.failed or edge.failed:
        percent = failed_percent(totals)
        text += (
            f"; {resize.failed} failed in resize and {edge.failed} in edge: {percent:.2f} %, "
            f"{'within' if percent <= tolerated_percent else 'above'} "
            f"the tolerated {tolerated_percent:g} %"
        )
    return text + "."
