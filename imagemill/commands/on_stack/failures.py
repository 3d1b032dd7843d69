"""`imagemill failures`: every picture of a run that was not written, and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from imagemill.deployed.documents import Failure, failures_of
from imagemill.deployed.failures import checked_reasons, counts_by_reason, with_reason
from imagemill.deployed.files import BucketFiles, check_is_no_folder, folder_files
from imagemill.deployed.runs import run_named
from imagemill.deployed.stack import usable_stack
from imagemill.display.lines import print_json, print_line
from imagemill.display.summary import print_outcome
from imagemill.options.stack import StackChoice

SHOWN = 100


def failures(
    run_id: str | None,
    choice: StackChoice,
    out: str | None,
    reasons: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print what was rejected or failed. Raises UsageError if there is no such run or reason."""
    wanted = checked_reasons(reasons)
    if out is None:
        check_is_no_folder(run_id)
        stack = usable_stack(choice)
        run_id = run_named(stack, run_id).run_id
        rows = failures_of(BucketFiles(stack.client("s3"), stack.output_bucket), run_id)
    else:
        files = folder_files(out)
        run_id = files.run_named(run_id)
        rows = failures_of(files, run_id)
    chosen = with_reason(rows, wanted)
    if as_json:
        print_json(chosen)
    else:
        _print(Console(), run_id, chosen, is_part=bool(wanted), can_retry=out is None)


def _print(
    console: Console, run_id: str, rows: Sequence[Failure], *, is_part: bool, can_retry: bool
) -> None:
    if not rows:
        reasons = " for that reason" if is_part else ""
        print_line(console, f"{run_id}: nothing was rejected or failed{reasons}.")
        return
    for row in rows[:SHOWN]:
        print_outcome(console, row)
    if len(rows) > SHOWN:
        print_line(console, f"... and {len(rows) - SHOWN:,} more; --json prints all of them")
    for reason, count in counts_by_reason(rows).items():
        print_line(console, f"{count:>7,} {reason}")
    if can_retry:
        print_line(console, f"try them again: imagemill retry {run_id} [--reason REASON]")
