"""`imagemill verify`: reads a packed dataset back and checks it."""

from __future__ import annotations

from rich.console import Console

from imagemill.display.lines import print_line
from imagemill.errors import RunFailedError
from imagemill.worker_process import run_worker
from imagemill_contract.exit_codes import WorkerExit


def verify_dataset(out: str, *, console: Console) -> None:
    """Check all dataset shards and print what was found.

    Raises:
        UsageError: There is no packed dataset at `out`.
        RunFailedError: A shard is damaged, or could not be read.
    """
    ended = run_worker("verify", out)
    for event in ended.events:
        if event["event"] == "damaged":
            print_line(console, f"damaged: {event['shard']}: {event['detail']}")
    found = ended.events[-1]
    if ended.code == WorkerExit.DAMAGED:
        raise RunFailedError(
            f"{found['damaged']:,} of {found['shards']:,} shards are damaged. Remove these files, "
            "and the next run does their pictures again."
        )
    print_line(
        console,
        f"{found['shards']:,} dataset shards with {found['samples']:,} samples are whole: "
        f"{found['indexed']:,} as the index has them, {found['superseded']:,} superseded.",
    )
    if found["unnamed"]:
        print_line(
            console,
            f"{found['unnamed']:,} files beside them are in no index: of a run that is on, or of a "
            "job that was given up.",
        )
