"""`imagemill report`: what became of a run."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from imagemill.deployed.documents import report_of
from imagemill.deployed.files import (
    BucketFiles,
    FolderFiles,
    RunFiles,
    check_is_no_folder,
    folder_files,
)
from imagemill.deployed.runs import run_named
from imagemill.deployed.stack import usable_stack
from imagemill.display.lines import print_json, print_line
from imagemill.display.looks import print_next
from imagemill.display.summary import print_summary
from imagemill.errors import UsageError
from imagemill.options.stack import StackChoice
from imagemill_contract.keys import report_key, report_page_key


def report(
    run_id: str | None, choice: StackChoice, out: str | None, *, opens: bool, as_json: bool
) -> None:
    """Print the report of a run, or open its page in a browser. Raises UsageError without one."""
    files, run_id, state = _found(run_id, choice, out)
    document = report_of(files, run_id)
    if document is None:
        raise UsageError(f"RUN: {run_id} has no report: it is {state}")
    if as_json:
        print_json(document)
    else:
        _print(Console(), files, document, can_retry=out is None)
    if opens:
        _open(files, run_id, Console(stderr=True))


def _print(
    console: Console, files: RunFiles, document: Mapping[str, Any], *, can_retry: bool
) -> None:
    run_id, page = document["run_id"], report_page_key(document["run_id"])
    print_summary(console, document)
    if can_retry:
        print_next(console, document)
    print_line(console, f"report: {files.place_of(report_key(run_id))}")
    if files.keys(page):
        print_line(console, f"page: {files.place_of(page)}")


def _found(run_id: str | None, choice: StackChoice, out: str | None) -> tuple[RunFiles, str, str]:
    """Where the run's documents are, its id, and what to say of one without a report."""
    if out is None:
        check_is_no_folder(run_id)
        stack = usable_stack(choice)
        run = run_named(stack, run_id)
        state = f"{run.state}. `imagemill status {run.run_id}` says more."
        return BucketFiles(stack.client("s3"), stack.output_bucket), run.run_id, state
    files = folder_files(out)
    return files, files.run_named(run_id), "going on, or was stopped; the same command goes on."


def _open(files: RunFiles, run_id: str, console: Console) -> None:
    body = files.read(report_page_key(run_id))
    if body is None:
        raise UsageError(
            f"--open: {run_id} has no page; it is older than the reports that have one."
        )
    if isinstance(files, FolderFiles):
        path = Path(files.place_of(report_page_key(run_id)))
    else:  # kept: the browser reads it when this process is gone
        path = Path(tempfile.mkdtemp(prefix="imagemill-report-")) / f"{run_id}.html"
        path.write_bytes(body)
    if not webbrowser.open(path.as_uri()):
        print_line(console, f"No browser could be started. The page is {path}")
