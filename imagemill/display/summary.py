"""The summary of a run: a small table, warnings, and rejected pictures by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill.display.lines import print_line
from imagemill.display.progress import RunProgress
from imagemill.display.times import duration
from imagemill.paths import escaped
from imagemill_contract.keys import DATASET_README, Stage, report_key, report_page_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status

MAX_SHOWN = 20


def print_summary(
    console: Console, report: Mapping[str, Any], seconds: float | None = None
) -> None:
    """Print the counts of each stage, then what was rejected or failed, and why."""
    took = "" if seconds is None else f"  ({duration(seconds)})"
    console.print(_counts(report, title=f"{report['run_id']}{took}"))
    print_line(console, report["sentence"])
    warning = _warning(report)
    if warning:
        print_line(console, f"warning: {warning}")
    if (report.get("dataset") or {}).get("samples"):
        _print_dataset(console, report)
    for status in (Status.REJECTED, Status.FAILED):
        _print_rows(console, status, report[status])
    _print_plan(console, report)


def _counts(report: Mapping[str, Any], title: str) -> Table:
    """What became of the pictures in each stage."""
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    columns = ("planned", *Status)
    for column in columns:
        table.add_column(column, justify="right")
    for stage, counts in report["stages"].items():
        table.add_row(stage, *(f"{counts[column]:,}" for column in columns))
    return table


def _print_plan(console: Console, report: Mapping[str, Any]) -> None:
    """Print what was planned and why, what was left out, and what is gone."""
    for reason, count in report["to_do"].items():
        print_line(console, f"planned: {count:,} {reason}")
    if report["refused"]:
        print_line(console, f"planned: {report['refused']:,} that no job could be given")
    for reason, count in {**report["done"], **report["ignored"]}.items():
        print_line(console, f"left out: {count:,} {reason}")
    if report["deleted"]["objects"]:
        deleted = f"{report['deleted']['objects']:,}"
        print_line(console, f"deleted at the source: {deleted}; {_fate(report)}")


def done_so_far(written: Mapping[str, int], planned: str, stages: Sequence[Stage]) -> str:
    """How many results of each stage there are; `planned` is how many there would have been."""
    first, *later = stages
    made = [f"{written.get(stage, 0):,} {stage.results}" for stage in later]
    counted = [f"{written.get(first, 0):,} of {planned} pictures resized", *made]
    return f"{', '.join(counted)} made"


def print_stopped(console: Console, run: RunProgress) -> None:
    """Print what a stopped run has done so far, and how to go on."""
    written = {stage: state.written for stage, state in run.stages.items()}
    if any(written.values()):
        planned = "?" if run.planned is None else f"{run.planned:,}"
        print_line(console, f"Stopped: {done_so_far(written, planned, run.in_order)}.")
    else:
        print_line(console, "Stopped before any picture was done.")
    print_line(console, "Run the same command again to go on.")


def print_places(console: Console, out: Path, run_id: str) -> None:
    """Print where the report of a run is in a folder, and its page if it has one."""
    print_line(console, f"report: {escaped(str(out / report_key(run_id)))}")
    page = out / report_page_key(run_id)
    if page.exists():
        print_line(console, f"page: {escaped(str(page))}")


def _warning(report: Mapping[str, Any]) -> str | None:
    """What a person should not overlook, even if the run has succeeded."""
    planned = report["stages"][Stage.RESIZE]["planned"]
    written = sum(counts[Status.WRITTEN] for counts in report["stages"].values())
    if not planned or written:
        return None
    if report["reasons"] == {Reason.NO_LABEL: planned}:
        return (
            f"Nothing was written: none of the {planned:,} pictures lies in a folder, so none has "
            "a class. Sort them into folders, or leave out --label-from-folder."
        )
    return f"Nothing was written, although {planned:,} pictures were planned."


def _fate(report: Mapping[str, Any]) -> str:
    """What became of the results of deleted pictures."""
    if not report["prune"]:
        return "their results are kept"
    is_packed = report["recipe"]["output"] != "files"
    return "their samples are superseded" if is_packed else "their results were removed"


def _print_dataset(console: Console, report: Mapping[str, Any]) -> None:
    dataset = report["dataset"]
    print_line(
        console,
        f"dataset: {dataset['format']}, {dataset['samples']:,} new samples, "
        f"{dataset['bytes']:,} bytes",
    )
    print_line(console, f"card: {_place_of(report['output'], DATASET_README)}")


def _place_of(output: str, key: str) -> str:
    """The path of a result in a folder, or its address in a bucket."""
    location = Location.parse(output, "report.output")
    if location.is_file:
        return escaped(f"{location.folder}/{key}")
    return location.address_of(location.prefix + key)


def _print_rows(console: Console, status: Status, rows: list[Mapping[str, Any]]) -> None:
    for row in rows[:MAX_SHOWN]:
        print_outcome(console, row)
    if len(rows) > MAX_SHOWN:
        print_line(console, f"... and {len(rows) - MAX_SHOWN:,} more {status}, all in the report")


def print_outcome(console: Console, row: Mapping[str, Any]) -> None:
    """Print what became of one picture, and why."""
    line = Text.assemble(
        f"{row['status']} {escaped(row['key'])}: ", (row["reason"], "yellow"), f", {_detail(row)}"
    )
    console.print(line, soft_wrap=True)


def _detail(row: Mapping[str, Any]) -> str:
    """The detail of an outcome, on one line whatever a library has said."""
    return " ".join(str(row.get("detail", "")).split())
