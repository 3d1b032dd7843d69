"""`imagemill duplicates`: lists pictures that are there more than once."""

from __future__ import annotations

from rich.console import Console

from imagemill.display.lines import print_json, print_line
from imagemill.errors import UsageError
from imagemill.worker_process import run_worker
from imagemill_contract.recipe_parts.choices import Measure

_LEFT_OUT = {
    "plain": "that are all of one brightness were",
    "unknown": "without a fingerprint, or without a vector, were",
}


def list_duplicates(out: str, *, by: Measure, distance: float | None, as_json: bool) -> None:
    """Print the groups, each on a line, and how many there are.

    Raises:
        UsageError: There is nothing at `out` that could be compared, or a shard is damaged, or
            `distance` is none of the measure.
        RunFailedError: It could not be read.
    """
    if fault := by.fault_of(distance):
        raise UsageError(f"--distance: {fault}")
    options = () if distance is None else ("--distance", f"{distance:g}")
    *groups, found = run_worker("duplicates", out, "--by", by, *options).events
    summary = {name: value for name, value in found.items() if name != "event"}
    if as_json:
        print_json({**summary, "duplicates": [event["names"] for event in groups]})
        return
    console = Console()
    for event in groups:
        print_line(console, "  ".join(event["names"]))
    print_line(
        console,
        f"{found['pictures']:,} pictures compared: {found['extra']:,} of them are one too many, in "
        f"{found['groups']:,} groups.",
    )
    for name, text in _LEFT_OUT.items():
        if found[name]:
            print_line(console, f"{found[name]:,} {text} not compared.")
