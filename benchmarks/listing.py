"""Planning at scale: lists a bucket of hash-named keys and writes its shard documents.

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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".", "contract", "functions")


def plan_once(count: int, done: int) -> None:
    """In the child process: plan the whole bucket and print what that took."""
    from benchmarks.key_server import keys_of
    from imagemill_app.plan.checked_request import request_of
    from imagemill_app.plan.plan_run import plan_run
    from imagemill_app.settings import PlanRunSettings
    from imagemill_app.stores import StoreAt
    from imagemill_contract.locations import Location
    from imagemill_contract.recipe import Recipe
    from imagemill_dataset.index import Entry, IndexedRun
    from imagemill_dataset.stored_index import write_index_part

    recipe = Recipe().to_document()
    earlier = IndexedRun("earlier", "2026-11-22T10:15:30Z", "s3://input-bucket/full/", recipe)
    entries = {key[5:]: Entry(key[5:37], None, earlier) for key in keys_of(count)[:done]}
    write_index_part(StoreAt(Location("s3://output-bucket")), earlier, entries)

    settings = PlanRunSettings(
        "output-bucket", 256, 30, "{}", allow_file_uris=False, commit="", worker_image_uri="image"
    )
    request = request_of({"source": "s3://input-bucket/full/"}, settings)
    before, began = _cpu_seconds(), time.monotonic()
    run = plan_run("benchmark", "2026-11-23T10:15:30Z", request, settings)
    measured = {
        "objects": run.objects,
        "shards": run.shards,
        "wall": time.monotonic() - began,
        "cpu": _cpu_seconds() - before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(measured))


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(count: int, done: int) -> dict[str, Any]:
    """What it takes to plan a bucket of `count` keys, some of which an earlier run has done."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.key_server", str(count), str(done)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        port = server.stdout.readline().strip()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in ROOMS),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        command = [sys.executable, "-m", "benchmarks.listing", "--child", str(count), str(done)]
        child = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
        server.stdin.write("requests\n")
        server.stdin.flush()
        requests = json.loads(server.stdout.readline())
        server.terminate()
    return {**json.loads(child.stdout), "requests": requests}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        plan_once(*options.counts)
        return
    print("| objects | done before | shards | wall s | CPU s | CPU us/object | MiB | LIST | PUT |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count, done in [*((count, 0) for count in options.counts), (100_010, 100_000)]:
        row = measured(count, done)
        assert row["objects"] == count - done, row
        print(
            f"| {count:,} | {done:,} | {row['shards']} | {row['wall']:.1f} | {row['cpu']:.1f} "
            f"| {row['cpu'] / count * 1e6:.0f} | {row['peak_mib']:.0f} "
            f"| {row['requests']['LIST']} | {row['requests']['PUT']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
