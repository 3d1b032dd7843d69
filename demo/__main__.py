"""Uploads pictures, waits for the run that this starts, and fetches and shows its results."""

from __future__ import annotations

import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.contact_sheet import contact_sheet
from demo.pictures import cut_pictures
from imagemill.display.lines import print_line
from imagemill.display.summary import print_places, print_summary
from imagemill.errors import ExitCode, RunFailedError, ToolError
from imagemill.execution import Execution
from imagemill.local_stack import LocalError, LocalStack, local_stack
from imagemill.project import ROOT
from imagemill.signals import terminate_as_exit
from imagemill_contract.keys import report_key

OUT = ROOT / "demo-out"
SOURCE_PREFIX = "full/"
RUNS_END_WITHIN_SECONDS = 80


def main() -> None:
    terminate_as_exit()
    console = Console()
    started = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    source = OUT / "source"
    cuts = cut_pictures(source / SOURCE_PREFIX)
    console.print(f"{len(cuts)} pictures cut from photographs into {source / SOURCE_PREFIX}")
    # long enough for all messages of the upload to be one batch, and so one group
    with local_stack(parameters={"BatchingWindowSeconds": "5"}) as stack:
        console.print(f"stack deployed on {stack.engine.endpoint_url}")
        upload(stack, source)
        console.print(f"uploaded to s3://{stack.input_bucket}/{SOURCE_PREFIX}, waiting for the run")
        runs = triggered_runs(stack, len({cut.name for cut in cuts}))
        fetch_results(stack, OUT)
        for execution in runs:
            execution.result()
    seconds = time.monotonic() - started
    for execution in runs:
        print_summary(console, report_of(execution.run_id), seconds)
        print_places(console, OUT, execution.run_id)
    sheet = OUT / "contact-sheet.png"
    contact_sheet(cuts, source / SOURCE_PREFIX, OUT).save(sheet)
    console.print(f"look at: {sheet}", soft_wrap=True)
    console.print(f"results: {OUT}/resized  {OUT}/edges  {OUT}/runs", soft_wrap=True)


def upload(stack: LocalStack, folder: Path) -> None:
    """Put every file below `folder` into the input bucket, with its path as its key."""
    s3 = stack.client("s3")

    def put(path: Path) -> None:
        key = path.relative_to(folder).as_posix()
        s3.put_object(Bucket=stack.input_bucket, Key=key, Body=path.read_bytes())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, sorted(path for path in folder.rglob("*") if path.is_file())))


def triggered_runs(stack: LocalStack, count: int) -> list[Execution]:
    """The ended runs that `count` uploads have started: one, unless the upload took long.

    Raises RunFailedError if there are pictures that no run has taken.
    """
    states = stack.client("stepfunctions")
    deadline = time.monotonic() + RUNS_END_WITHIN_SECONDS
    while time.monotonic() < deadline:
        stack.engine.check()
        found = states.list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
        runs = [Execution(states, item["executionArn"], item["name"]) for item in found]
        ended = [run for run in runs if not run.is_running()]
        if len(ended) == len(runs) and sum(map(pictures_planned, ended)) >= count:
            return ended
        time.sleep(0.25)
    raise RunFailedError(
        f"{count} pictures were not done {RUNS_END_WITHIN_SECONDS} s after upload."
    )


def pictures_planned(run: Execution) -> int:
    """How many pictures an ended run has planned. Raises RunFailedError if it failed."""
    planned: int = run.result()["stages"]["resize"]["planned"]
    return planned


def fetch_results(stack: LocalStack, folder: Path) -> None:
    """Copy the output bucket into `folder`."""
    s3 = stack.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack.output_bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]

    def get(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=stack.output_bucket, Key=key)["Body"].read())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(get, keys))


def report_of(run_id: str) -> dict[str, Any]:
    """The report of a run. Exits with code 1 unless all its pictures went through both stages."""
    report: dict[str, Any] = json.loads((OUT / report_key(run_id)).read_text("utf-8"))
    for stage, counts in report["stages"].items():
        if counts["written"] != counts["planned"]:
            sys.exit(f"demo: {counts['written']} of {counts['planned']} pictures left {stage}.")
    return report


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print_line(Console(stderr=True), f"demo: Stopped. {OUT} holds what was done so far.")
        sys.exit(ExitCode.STOPPED)
    except (ToolError, LocalError) as error:
        sys.exit(f"demo: {error}")
