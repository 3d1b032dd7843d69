"""`imagemill verify` and `imagemill compact`: the worker's upkeep of a packed dataset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console

from imagemill.errors import RunFailedError, UsageError
from imagemill.local_stack import worker_environment
from imagemill_contract.errors import ContractError
from imagemill_contract.locations import Location

_DONE, _BAD_ARGUMENTS, _DAMAGED = 0, 2, 3  # of the worker's exit codes


def verify_dataset(out: str, *, console: Console) -> None:
    """Print what a check of all dataset shards found.

    Raises:
        UsageError: There is no packed dataset at `out`.
        RunFailedError: A shard is damaged, or could not be read.
    """
    code, events = _worker_events("verify", out)
    for event in events:
        if event["event"] == "damaged":
            _say(console, f"damaged: {event['shard']}: {event['detail']}")
    found = events[-1]
    if code == _DAMAGED:
        raise RunFailedError(
            f"{found['damaged']:,} of {found['shards']:,} shards are damaged. Remove these files, "
            "and the next run does their pictures again."
        )
    _say(
        console,
        f"{found['shards']:,} dataset shards with {found['samples']:,} samples are whole: "
        f"{found['indexed']:,} as the index has them, {found['superseded']:,} superseded.",
    )
    if found["unnamed"]:
        _say(
            console,
            f"{found['unnamed']:,} files beside them are in no index: of a run that is on, or of a "
            "job that was given up.",
        )


def compact_dataset(out: str, *, console: Console) -> None:
    """Print what was compacted. Raises as `verify_dataset`."""
    _, events = _worker_events("compact", out)
    found = events[-1]
    if not found["removed"]:
        _say(console, "Nothing to do: no sample is superseded, and no two shards are small.")
        return
    _say(
        console,
        f"{found['superseded']:,} superseded samples are gone: {found['removed']:,} shards were "
        f"removed, {found['written']:,} written.",
    )


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _worker_events(command: str, out: str) -> tuple[int, list[Mapping[str, Any]]]:
    """Exit code of the worker and the events that it logged."""
    output = _location_of(out)
    env = {**os.environ, **worker_environment()}
    if output.is_file:
        env["ALLOW_FILE_URIS"] = "true"
    done = subprocess.run(
        [sys.executable, "-m", "imagemill_worker", command, "--output", str(output)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    detail = done.stderr.strip().rpartition("\n")[2].removeprefix("imagemill_worker: ")
    if done.returncode == _BAD_ARGUMENTS:
        raise UsageError(f"OUT: {detail}")
    if done.returncode not in (_DONE, _DAMAGED):
        raise RunFailedError(detail)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def _location_of(out: str) -> Location:
    if out.startswith("s3://"):
        try:
            return Location.parse(out, "OUT")
        except ContractError as error:
            raise UsageError(str(error)) from None
    if not Path(out).is_dir():
        raise UsageError(f'OUT: "{out}" is not a folder.')
    return Location.of_folder(PurePosixPath(Path(out).resolve()))
