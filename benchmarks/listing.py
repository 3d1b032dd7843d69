"""Planning at scale: lists a bucket of hash-named keys, with nothing done and with everything done.

The real PlanRun logic runs in a process of its own, against a loopback S3 in another process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".", "contract", "functions")
RUN_ID, STARTED, SOURCE = "benchmark", "2026-11-23T10:15:30Z", "s3://input-bucket/full/"


def plan_once(count: int, done: int) -> None:
    """In the child process: plan the whole bucket and print what that took."""
    from imagemill_app.plan.commit_plan import commit_plan
    from imagemill_app.plan.draft import DraftedRun
    from imagemill_app.plan.plan_run import plan_run
    from imagemill_app.plan.plan_slice import SliceStep, plan_slice
    from imagemill_app.settings import PlanRunSettings
    from imagemill_contract.locations import Location

    settings = PlanRunSettings("output-bucket", 256, 30, 250_000, "{}", False, "", "image")
    before, began, calls = cpu_seconds(), time.monotonic(), []
    run = plan_run(RUN_ID, STARTED, {"source": SOURCE}, settings)
    calls.append(time.monotonic() - began)
    if isinstance(run, DraftedRun):
        output = Location.parse(run.output, "output")
        for number in range(run.ranges):
            step = SliceStep(number)
            while not step.is_last:
                call = time.monotonic()
                step = plan_slice(RUN_ID, output, step, settings)
                calls.append(time.monotonic() - call)
        run = commit_plan(RUN_ID, output, settings)
    found = {
        "objects": run.objects,
        "done": sum(run.done.values()),
        "shards": run.shards,
        "calls": len(calls),
        "longest": max(calls),
        "wall": time.monotonic() - began,
        "cpu": cpu_seconds() - before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def put_index(count: int, done: int) -> None:
    """In another process: the index as an earlier run over the first objects has left it."""
    from benchmarks.key_server import etag_of, name_of
    from imagemill_app.stores import StoreAt
    from imagemill_contract.document_parts.pictures import Original
    from imagemill_contract.index_keys import index_key, leaves_stem
    from imagemill_contract.locations import Location
    from imagemill_contract.recipe import Recipe
    from imagemill_dataset.index import Entry, IndexedRun
    from imagemill_dataset.parts.written_part import written_part

    recipe = Recipe().to_document()
    earlier = IndexedRun("earlier", "2026-11-22T10:15:30Z", SOURCE, recipe)
    original = Original(4000, 3000, "2026-11-30T14:05:00+01:00")
    row = Entry("", None, earlier, fingerprint="0123456789abcdef", original=original, bytes=670_000)
    rows = ((name_of(n, count), row._replace(etag=etag_of(n))) for n in range(done))
    store, key = StoreAt(Location("s3://output-bucket")), index_key(earlier.started, "earlier")
    store.write(key, written_part(store, leaves_stem(key), rows, {}))


def cpu_seconds() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def s3_environment(count: int, done: int) -> Iterator[tuple[dict[str, str], Callable[[], Any]]]:
    """A loopback S3: the environment of a process that uses it, and its requests when asked."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.key_server", str(count), str(done)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    asking, answers = server.stdin, server.stdout

    def requests() -> Any:
        asking.write("requests\n")
        asking.flush()
        return json.loads(answers.readline())

    with server:
        port = server.stdout.readline().strip()
        yield (
            {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in ROOMS),
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            },
            requests,
        )
        server.terminate()


def measured(count: int, done: int) -> dict[str, Any]:
    """What it takes to plan a bucket of `count` keys, some of which an earlier run has done."""
    command = [sys.executable, "-m", "benchmarks.listing", str(count), str(done)]
    with s3_environment(count, done) as (environment, requests):
        if done:
            subprocess.run([*command, "--index"], env=environment, check=True)
        requests()
        child = subprocess.run(
            [*command, "--child"], env=environment, check=True, stdout=subprocess.PIPE
        )
        return {**json.loads(child.stdout), "requests": requests()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--done", nargs="*", type=float, default=[0, 1], help="shares of it")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--index", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        plan_once(*options.counts)
        return
    if options.index:
        put_index(*options.counts)
        return
    print("| objects | done before | calls | longest s | wall s | CPU us/object | MiB | requests |")
    print("|---|---|---|---|---|---|---|---|")
    for count in options.counts:
        for done in (int(share * count) for share in options.done):
            row = measured(count, done)
            assert (row["objects"], row["done"]) == (count - done, done), row
            requests = ", ".join(f"{n:,} {kind}" for kind, n in sorted(row["requests"].items()))
            print(
                f"| {count:,} | {done:,} | {row['calls']} | {row['longest']:.1f} "
                f"| {row['wall']:.1f} | {row['cpu'] / count * 1e6:.1f} | {row['peak_mib']:.0f} "
                f"| {requests} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
