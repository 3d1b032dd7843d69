"""`imagemill duplicates`: lists pictures that are there more than once."""

from __future__ import annotations

from rich.console import Console

from imagemill.display.lines import print_json, print_line
from imagemill.worker_process import run_worker

_LEFT_OUT = {
    "plain": "that are all of one brightness were",
    "unknown": "that an earlier version has written were",
}


def list_duplicates(out: str, *, distance: int | None, as_json: bool) -> None:
    """Print the groups, each on a line, and how many there are.

    Raises:
        UsageError: There is nothing at `out` that could be compared, or a shard is damaged.
        RunFailedError: It could not be read.
    """
    options = () if distance is None else ("--distance", str(distance))
    *groups, found = run_worker("duplicates", out, *options).events
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
