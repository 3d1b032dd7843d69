"""`imagemill compact`: rewrites dataset shards without superseded samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from imagemill.display.lines import print_line
from imagemill.errors import UsageError
from imagemill.output_lock import Lock, output_lock
from imagemill.worker_process import run_worker


def compact_dataset(out: str, *, console: Console) -> None:
    """Compact a dataset and print what was done.

    Raises:
        UsageError: There is no packed dataset at `out`, or a run is going on there.
        RunFailedError: It could not be read or written.
    """
    try:
        with _locked(out):
            found = run_worker("compact", out).events[-1]
    except (KeyboardInterrupt, SystemExit):
        print_line(console, "Stopped: nothing is lost. Run the same command again to finish.")
        raise
    if not found["removed"]:
        print_line(console, "Nothing to do: no sample is superseded, and no two shards are small.")
        return
    print_line(
        console,
        f"{found['superseded']:,} superseded samples are gone: {found['removed']:,} shards were "
        f"removed, {found['written']:,} written.",
    )


@contextmanager
def _locked(out: str) -> Iterator[None]:
    """Keep runs away from a folder that is there. Raises UsageError if one is going on."""
    if not Path(out).is_dir():
        yield
        return
    with output_lock(Path(out)) as lock:
        if lock is Lock.TAKEN:
            raise UsageError(f'OUT: a run into "{out}" is going on. Wait for its end.')
        yield
