"""Runs the worker as a program, for what needs no job: checking, compacting and comparing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console

from imagemill.display.steps import StepDisplay
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
    """Run a program to its end and show how far it is; if this process is stopped, tell it so."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, errors = list[str](), list[str]()
    with process, StepDisplay(Console(stderr=True)) as display:
        shown = threading.Thread(target=_read_events, args=(process.stdout, out, display))
        told = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
        for reader in (shown, told):
            reader.start()
        try:
            process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(timeout=_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
        finally:
            for reader in (shown, told):
                reader.join()
    return subprocess.CompletedProcess(command, process.returncode, "".join(out), "".join(errors))


def _read_events(lines: Iterable[str], out: list[str], display: StepDisplay) -> None:
    for line in lines:
        out.append(line)
        with suppress(ValueError):  # what is no event is not shown
            display.show(json.loads(line))


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
