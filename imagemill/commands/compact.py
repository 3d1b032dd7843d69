"""`imagemill compact`: rewrites dataset shards without superseded samples."""

from __future__ import annotations

from rich.console import Console

from imagemill.display.lines import print_json, print_line
from imagemill.output_lock import away_from_runs
from imagemill.worker_process import run_worker


def compact_dataset(out: str, *, as_json: bool) -> None:
    """Compact a dataset and print what was done.

    Raises:
        UsageError: There is no packed dataset at `out`, or a run or another compaction is going on
            there.
        RunFailedError: It could not be read or written.
    """
    try:
        with away_from_runs(out):
            found = run_worker("compact", out).events[-1]
    except (KeyboardInterrupt, SystemExit):
        print_line(
            Console(stderr=True), "Stopped: nothing is lost. Run the same command again to finish."
        )
        raise
    if as_json:
        print_json(found)
        return
    console = Console()
    if not found["removed"]:
        print_line(console, "Nothing to do: no sample is superseded, and no two shards are small.")
        return
    print_line(
        console,
        f"{found['superseded']:,} superseded samples are gone: {found['removed']:,} shards were "
        f"removed, {found['written']:,} written.",
    )
