"""A plan, shown to a person or printed for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imagemill.display.lines import print_json
from imagemill.display.times import duration


def print_plan(plan: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the plan for a person or a program."""
    if as_json:
        print_json(plan)
    else:
        print_table(Console(), plan)


def print_table(console: Console, plan: Mapping[str, Any]) -> None:
    """Print the plan for a person."""
    forecast = plan["estimate"]
    table = Table(
        show_header=False, title=f"plan of {escape(plan['source'])}", title_justify="left"
    )
    table.add_row("objects", f"{plan['objects']:,}")
    table.add_row("bytes", f"{plan['bytes']:,}")
    table.add_row("shards", f"{plan['shards']:,}")
    table.add_row("parallel jobs", f"{forecast['parallel_jobs']:,}")
    table.add_row("estimated minutes", f"{forecast['minutes']:,.1f}")
    for kind, dollars in forecast["dollars"].items():
        table.add_row(f"estimated USD, {kind}", f"{dollars:.4f}")
    table.add_row("estimated USD, in all", f"{forecast['total_dollars']:.4f}")
    console.print(table)
    for reason, count in plan["to_do"].items():
        console.print(f"to do: {count:,} {reason}", highlight=False, markup=False)
    for reason, count in {**plan["done"], **plan["ignored"]}.items():
        console.print(f"left out: {count:,} {reason}", highlight=False, markup=False)
    if plan["refused"]:
        console.print(f"refused: {plan['refused']:,} that no job can be given", highlight=False)
    if plan["deleted"]:
        console.print(f"deleted at the source since: {plan['deleted']:,}", highlight=False)


def forecast(plan: Mapping[str, Any]) -> str:
    """The plan in one line."""
    expected = plan["estimate"]
    if not plan["shards"]:
        return "There is nothing to do."
    pictures = f"{plan['objects']:,} {'picture' if plan['objects'] == 1 else 'pictures'}"
    jobs = f"{plan['shards']:,} {'job' if plan['shards'] == 1 else 'jobs'} per stage"
    return (
        f"{pictures} in {jobs}, estimated {duration(60 * expected['minutes'])} "
        f"and {expected['total_dollars']:.2f} USD"
    )
