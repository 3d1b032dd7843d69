"""Runs the worker as a program, for what needs no job: checking, compacting and comparing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.errors import RunFailedError, UsageError
from imagemill.local_stack import worker_environment
from imagemill.paths import escaped, path_errors, resolved
from imagemill_contract.errors import ContractError, WorkerExit
from imagemill_contract.locations import Location

_GRACE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class WorkerEnd:
    """How the worker ended, and the events that it logged; the last one is the summary."""

    code: WorkerExit
    events: Sequence[Mapping[str, Any]]


def run_worker(command: str, out: str, *options: str) -> WorkerEnd:
    """Run a command over the results at `out`, a folder or an `s3://` address.

    If this process is stopped meanwhile, the worker is, too, and can first free the dataset.

    Raises:
        UsageError: There is no packed dataset at `out`.
        RunFailedError: It could not be read or written.
    """
    output = _location_of(out)
    env = {**os.environ, **worker_environment()}
    if output.is_file:
        env["ALLOW_FILE_URIS"] = "true"
    words = ["-m", "imagemill_worker", command, "--output", str(output), *options]
    done = completed([sys.executable, *words], env)
    detail = done.stderr.strip().rpartition("\n")[2].removeprefix("imagemill_worker: ")
    if done.returncode == WorkerExit.BAD_ARGUMENTS:
        raise UsageError(f"OUT: {detail}")
    if done.returncode not in (WorkerExit.DONE, WorkerExit.DAMAGED):
        raise RunFailedError(detail or f"The worker ended with code {done.returncode}.")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return WorkerEnd(WorkerExit(done.returncode), events)


def completed(command: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; if this process is stopped, tell it so and wait a little."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            process.terminate()
            try:
                process.communicate(timeout=_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _location_of(out: str) -> Location:
    if out.startswith("s3://"):
        try:
            return Location.parse(out, "OUT")
        except ContractError as error:
            raise UsageError(str(error)) from None
    with path_errors("OUT", out):
        if not Path(out).is_dir():
            raise UsageError(f'OUT: "{escaped(out)}" is not a folder.')
        return Location.of_folder(PurePosixPath(resolved(Path(out), "OUT")))
