"""`imagemill runs`: the runs of a stack or of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console

from imagemill.deployed.documents import ended_runs, open_runs
from imagemill.deployed.files import BucketFiles, RunFiles, folder_files
from imagemill.deployed.runs import Run, RunState, described, latest_runs
from imagemill.deployed.stack import DeployedStack, usable_stack
from imagemill.display.lines import print_json, print_line
from imagemill.display.run_list import Row, SortBy, ordered, print_runs, sort_by
from imagemill.options.stack import StackChoice
from imagemill_contract.reporting.run_list import RunRow


def runs(choice: StackChoice, out: str | None, *, sort: str, most: int, as_json: bool) -> None:
    """Print the latest runs, at most `most` of them. Raises UsageError for an unknown order."""
    order = sort_by(sort)
    if out is None:
        stack = usable_stack(choice)
        rows = _rows_of_stack(stack, most)
        hint = f"Start one: imagemill start s3://{stack.input_bucket}/full/"
    else:
        rows = list(_left(folder_files(out)).values())
        hint = f"Start one: imagemill run PHOTOS {out}"
    rows = ordered(ordered(rows, SortBy.TIME)[:most], order)
    if as_json:
        print_json([row.to_document() for row in rows])
    elif rows:
        print_runs(Console(), rows)
    else:
        print_line(Console(), f"There is no run yet. {hint}")


def _rows_of_stack(stack: DeployedStack, most: int) -> list[Row]:
    """What Step Functions knows, and older runs that have left a report."""
    left = _left(BucketFiles(stack.client("s3"), stack.output_bucket))
    known = [_row(stack, run, left.get(run.run_id)) for run in latest_runs(stack, most)]
    names = {row.run.run_id for row in known}
    return known + [row for run_id, row in left.items() if run_id not in names]


def _row(stack: DeployedStack, run: Run, left: Row | None) -> Row:
    if left is None:
        # a run that failed before it was planned may have been refused
        return Row(described(stack, run) if run.state is RunState.FAILED else run)
    return Row(run, left.source, left.images, left.rejected, left.failed, left.dollars)


def _left(files: RunFiles) -> dict[str, Row]:
    """The runs that have left a report, or are open, by their ids."""
    rows = {row.run_id: _ended(row) for row in ended_runs(files)}
    return {run_id: _open(plan) for run_id, plan in open_runs(files).items()} | rows


def _ended(row: RunRow) -> Row:
    started, ended = map(datetime.fromisoformat, (row.started, row.ended))
    run = Run(row.run_id, RunState(row.verdict), started, ended)
    return Row(run, row.source, row.planned, row.rejected, row.failed, row.dollars)


def _open(plan: Mapping[str, Any]) -> Row:
    run = Run(plan["run_id"], RunState.OPEN, datetime.fromisoformat(plan["started"]))
    return Row(run, plan["source"], plan["objects"], dollars=plan["estimate"]["total_dollars"])
