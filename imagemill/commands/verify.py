"""`imagemill verify`: reads a packed dataset back, checks it, and repairs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from rich.console import Console

from imagemill.display.lines import print_json, print_line
from imagemill.errors import RunFailedError, UsageError
from imagemill.output_lock import away_from_runs
from imagemill.worker_process import run_worker
from imagemill_contract.errors import WorkerExit

_NAMED_AT_MOST = 20


def verify_dataset(
    out: str, *, repair: bool = False, force: bool = False, as_json: bool = False
) -> None:
    """Check all dataset shards and print what was found.

    Raises:
        UsageError: There is no packed dataset at `out`, or it cannot be repaired now.
        RunFailedError: A shard is damaged, or could not be read.
    """
    if force and not repair:
        raise UsageError("--force: only repairing can be forced; use it with --repair.")
    options = ("--repair", *(["--force"] if force else [])) if repair else ()
    try:
        with away_from_runs(out) if repair else nullcontext():
            ended = run_worker("verify", out, *options)
    except (KeyboardInterrupt, SystemExit):
        told = "Run the same command again to finish." if repair else "Nothing was changed."
        print_line(Console(stderr=True), f"Stopped. {told}")
        raise
    found = ended.events[-1]
    if as_json:
        print_json(_findings(ended.events))
    else:
        _print_findings(Console(), ended.events, is_removed=repair)
    if ended.code == WorkerExit.DAMAGED:
        raise RunFailedError(_damage(found, is_removed=repair))
    if not as_json:
        _print_whole(Console(), found, is_removed=repair)


def _findings(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The summary, with what is damaged and what is left over."""
    lists = {
        kind: [
            {name: value for name, value in event.items() if name != "event"}
            for event in events
            if event["event"] == kind
        ]
        for kind in ("damaged", "leftover")
    }
    summary = {name: value for name, value in events[-1].items() if name != "event"}
    return {**summary, "damaged_shards": lists["damaged"], "leftovers": lists["leftover"]}


def _print_findings(
    console: Console, events: Sequence[Mapping[str, Any]], *, is_removed: bool
) -> None:
    _print_leftovers(console, events, is_removed=is_removed)
    for event in events:
        if event["event"] == "damaged":
            print_line(console, f"damaged: {event['shard']}: {event['detail']}")


def _print_whole(console: Console, found: Mapping[str, Any], *, is_removed: bool) -> None:
    print_line(
        console,
        f"{found['shards']:,} dataset shards with {found['samples']:,} samples are whole: "
        f"{found['indexed']:,} in use, {found['superseded']:,} superseded.",
    )
    if found["unnamed"] and not is_removed:
        print_line(console, f"{found['unnamed']:,} files beside them are not in the index.")
    if found["open"] and not is_removed:
        runs = ", ".join(found["open"])
        print_line(console, f"Runs without a report, going on or stopped: {runs}.")


def _print_leftovers(
    console: Console, events: Sequence[Mapping[str, Any]], *, is_removed: bool
) -> None:
    left = [event for event in events if event["event"] == "leftover"]
    word = "removed" if is_removed else "left over"
    for event in left[:_NAMED_AT_MOST]:
        count = f" ({event['objects']:,} files)" if event["name"].endswith("/") else ""
        print_line(console, f"{word}: {event['name']}{count}")
    if len(left) > _NAMED_AT_MOST:
        print_line(console, f"{word}: {len(left) - _NAMED_AT_MOST:,} more")
    if left and not is_removed:
        print_line(console, "Nobody needs what is left over; --repair removes it.")


def _damage(found: Mapping[str, Any], *, is_removed: bool) -> str:
    damaged = f"{found['damaged']:,} of {found['shards']:,} shards"
    if is_removed:
        return (
            f"{damaged} were damaged and are removed, with {found['lost']:,} samples that counted. "
            "The next run does their pictures again."
        )
    return f"{damaged} are damaged. --repair removes them; the next run does their pictures again."
