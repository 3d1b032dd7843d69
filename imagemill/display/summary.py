"""The summary of a run: a small table, and its rejected pictures by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

MAX_SHOWN = 20


def print_summary(console: Console, report: Mapping[str, Any], seconds: float) -> None:
    """Print the counts of each stage, then what was rejected or failed, and why."""
    table = Table(title=f"{report['run_id']}  ({seconds:.1f} s)", title_justify="left")
    table.add_column("stage")
    columns = ("planned", "written", "skipped", "rejected", "failed")
    for column in columns:
        table.add_column(column, justify="right")
    for stage, counts in report["stages"].items():
        table.add_row(stage, *(f"{counts[column]:,}" for column in columns))
    console.print(table)
    console.print(report["sentence"], highlight=False, markup=False)
    if (report.get("dataset") or {}).get("samples"):
        _print_dataset(console, report["dataset"])
    for status in ("rejected", "failed"):
        _print_rows(console, status, report[status])
    for reason, count in report["to_do"].items():
        console.print(f"processed: {count:,} {reason}", highlight=False, markup=False)
    for reason, count in {**report["done"], **report["ignored"]}.items():
        console.print(f"left out: {count:,} {reason}", highlight=False, markup=False)
    if report["deleted"]["objects"]:
        console.print(f"deleted at the source: {report['deleted']['objects']:,}; {_fate(report)}")


def _fate(report: Mapping[str, Any]) -> str:
    """What became of the results of deleted pictures."""
    if not report["prune"]:
        return "their results are kept"
    is_packed = report["recipe"]["output"] != "files"
    return "their samples are superseded" if is_packed else "their results were removed"


def _print_dataset(console: Console, dataset: Mapping[str, Any]) -> None:
    console.print(
        f"dataset: {dataset['format']}, {dataset['samples']:,} new samples, "
        f"{dataset['bytes']:,} bytes",
        highlight=False,
    )
    console.print(f"card: {dataset['card']}", highlight=False, markup=False, soft_wrap=True)


def _print_rows(console: Console, status: str, rows: list[Mapping[str, Any]]) -> None:
    for row in rows[:MAX_SHOWN]:
        console.print(
            f"{status} {escape(row['key'])}: [yellow]{row['reason']}[/], "
            f"{escape(row.get('detail', ''))}",
            highlight=False,
            soft_wrap=True,
        )
    if len(rows) > MAX_SHOWN:
        console.print(f"... and {len(rows) - MAX_SHOWN:,} more {status}, all in the report")
