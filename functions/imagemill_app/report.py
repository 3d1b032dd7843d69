"""The report of a run: what a person and a machine read when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from imagemill_app.aggregation import (
    MAX_LISTED,
    RunTally,
    StageOutcome,
    failed_percent,
    listed_document,
    refused_outcomes,
    shard_outcomes,
    skipped_after,
    tally,
)
from imagemill_app.index import merge_parts, write_index_part
from imagemill_app.map_results import JobFailure
from imagemill_app.stores import read_bytes, remove, store_of, write_bytes
from imagemill_contract.documents import Shard, decode_lines
from imagemill_contract.keys import (
    Stage,
    deleted_key,
    plan_key,
    relative_key,
    report_key,
)
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome
from imagemill_dataset.index import Entry, IndexedRun, final_reason


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
    """Read all outcomes of a planned run, write its report and its part of the index.

    Raises DocumentError when an object has no outcome, or two.
    """
    output = Location.parse(run["output"], "run.output")
    indexed = IndexedRun(run["run_id"], run["started"], run["source"], run["recipe"])
    entries: dict[str, Entry] = {}
    rows = _all_outcomes(run, output, failures, indexed, entries)
    totals = tally(rows, run["objects"] + run["refused"])
    deleted = _deleted(run, output)
    if run["prune"]:
        remove(output, [key for outputs in deleted.values() for key in outputs])
        entries.update({key: Entry("", None, indexed, is_pruned=True) for key in deleted})
    write_index_part(output, indexed, entries)
    verdict = RunVerdict(
        report=output.address_of(output.prefix + report_key(run["run_id"])),
        verdict="succeeded" if failed_percent(totals) <= tolerated_percent else "failed",
        sentence=_sentence(run, totals, tolerated_percent),
        stages={str(stage): asdict(counts) for stage, counts in totals.stages.items()},
        reasons=totals.reasons,
    )
    report = {"v": 1, **run, **asdict(verdict), **listed_document(totals)}
    report["deleted"] = {"objects": len(deleted), "keys": list(deleted)[:MAX_LISTED]}
    body = json.dumps(report, ensure_ascii=False, indent=2).encode()
    write_bytes(output, report_key(run["run_id"]), body)
    merge_parts(output)
    return verdict


def _all_outcomes(
    run: Mapping[str, Any],
    output: Location,
    failures: Mapping[str, JobFailure],
    indexed: IndexedRun,
    entries: dict[str, Entry],
) -> Iterator[StageOutcome]:
    """Outcomes of all stages of all objects; on the way, what the index is to know of each."""
    refused = refused_outcomes(run["run_id"], output)
    yield from _rows(Stage.RESIZE, refused)
    yield from _rows(Stage.EDGE, skipped_after(refused))
    for item in json.loads(read_bytes(output, plan_key(run["run_id"]))):
        shard = _shard_at(item["shard"])
        failure = failures.get(shard.shard_id)
        stages: list[list[Outcome]] = []
        for stage in Stage:
            before = stages[-1] if stages else []
            stages.append(shard_outcomes(shard, stage, failure, before))
            yield from _rows(stage, stages[-1])
        for source, *outcomes in zip(shard.objects, *stages, strict=True):
            reason = final_reason((outcome.status, outcome.reason) for outcome in outcomes)
            relative = relative_key(source.key, shard.source.prefix)
            entries[relative] = Entry(source.etag, reason, indexed)


def _deleted(run: Mapping[str, Any], output: Location) -> dict[str, list[str]]:
    """Relative keys of the sources that are gone, with the outputs that are theirs alone."""
    if not run["deleted"]:
        return {}
    _, rows = decode_lines("deleted", read_bytes(output, deleted_key(run["run_id"])))
    return {str(row["key"]): cast("list[str]", row["outputs"]) for row in rows}


def _shard_at(address: str) -> Shard:
    location, key = split_object_address(address, "plan.shard")
    return Shard.decode(store_of(location.root).get(key).bytes().to_bytes())


def _rows(stage: Stage, outcomes: list[Outcome]) -> Iterator[StageOutcome]:
    return (StageOutcome(stage, outcome) for outcome in outcomes)


def _sentence(run: Mapping[str, Any], totals: RunTally, tolerated_percent: float) -> str:
    done = sum(run["done"].values())
    if run["objects"] + run["refused"] == 0:
        return f"Nothing to do: all {done} pictures are done already."
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
    return f"{text}; {done} were done already." if done else f"{text}."
