"""What a run has written about itself: its plan in numbers, its report, its outcomes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imagemill.deployed.clients import AT_ONCE
from imagemill.deployed.files import RunFiles
from imagemill.errors import UsageError
from imagemill_contract import keys
from imagemill_contract.document_parts.lines import Row
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Status
from imagemill_contract.reporting.run_list import RunRow, decode_runs
from imagemill_contract.reporting.run_report import decode_report

NOT_WRITTEN = (Status.REJECTED, Status.FAILED)
Failure = Mapping[str, Any]  # a row as the report lists it: stage, key, status, reason, detail


def report_of(files: RunFiles, run_id: str) -> dict[str, Any] | None:
    """The report; None until the run is aggregated. Raises UsageError for another version."""
    body = files.read(keys.report_key(run_id))
    try:
        return decode_report(body) if body else None
    except DocumentError as error:
        raise UsageError(f"RUN: {run_id}: {error}") from None


def planned_run(files: RunFiles, run_id: str) -> dict[str, Any] | None:
    """The plan in numbers: what the report has, too, from the moment the run is planned.

    None before that, and if neither plan nor report has come about.
    """
    return _open_run(files, run_id) or report_of(files, run_id)


def ended_runs(files: RunFiles) -> list[RunRow]:
    """The list of runs that have a report. Raises UsageError for one of another version."""
    body = files.read(keys.RUN_LIST)
    try:
        return decode_runs(body) if body else []
    except DocumentError as error:
        raise UsageError(f"{files.place_of(keys.RUN_LIST)}: {error}") from None


def open_runs(files: RunFiles) -> dict[str, dict[str, Any]]:
    """The plan in numbers of each run that has no report yet."""
    found = [keys.open_run_id(key) for key in files.keys(keys.OPEN_RUNS)]
    run_ids = [run_id for run_id in found if run_id]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = pool.map(lambda run_id: _open_run(files, run_id), run_ids)
        return {run_id: plan for run_id, plan in zip(run_ids, plans, strict=True) if plan}


def failures_of(files: RunFiles, run_id: str) -> list[Failure]:
    """All that was not written, as the report lists it; for a run without one, so far."""
    report = report_of(files, run_id) or {}
    listed = [row for status in NOT_WRITTEN for row in report.get(status, ())]
    if report and len(listed) == _not_written(report):
        return listed
    # the report lists the first thousand of each; what it alone knows of is not in the documents
    rows = {(row["stage"], row["key"]): row for row in listed}
    rows |= {(row["stage"], row["key"]): row for row in _failed_outcomes(files, run_id)}
    return list(rows.values())


def columns_of(files: RunFiles, run_id: str, wanted: Collection[str]) -> dict[str, Row]:
    """The values of columns that a run has planned for some objects, by their keys."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        bodies = pool.map(files.read, files.keys(keys.shards_folder(run_id)))
        shards = (Shard.decode(body) for body in bodies if body is not None)
        return {
            item.key: dict(zip(dict(shard.recipe.columns), item.columns, strict=True))
            for shard in shards
            for item in shard.objects
            if item.columns and item.key in wanted
        }


def _not_written(report: Mapping[str, Any]) -> int:
    return sum(counts[status] for counts in report["stages"].values() for status in NOT_WRITTEN)


def _failed_outcomes(files: RunFiles, run_id: str) -> Iterator[Failure]:
    by_stage = [
        (stage, key) for stage in Stage for key in files.keys(keys.outcomes_folder(run_id, stage))
    ]
    by_stage += [(Stage.RESIZE, key) for key in files.keys(keys.refused_prefix(run_id))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        bodies = pool.map(lambda item: files.read(item[1]), by_stage)
        for (stage, _), body in zip(by_stage, bodies, strict=True):
            if body is None:
                continue
            for outcome in decode_outcomes(body)[1]:
                if outcome.status in NOT_WRITTEN:
                    yield {"stage": str(stage), **outcome.to_row()}


def _open_run(files: RunFiles, run_id: str) -> dict[str, Any] | None:
    """The plan in numbers of a run that is open; None if it is not."""
    body = files.read(keys.open_run_key(run_id))
    plan: dict[str, Any] | None = json.loads(body)["run"] if body else None
    return plan
