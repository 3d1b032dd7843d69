"""Ten uploaded pictures beside very many that are done: what their plan reads and takes.

The real PlanRun logic runs in a process of its own, against a loopback S3 in another process, whose
index has the rows of a run over everything, as that run leaves them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.key_server import etag_of, name_of
from benchmarks.listing import ROOT, STARTED, cpu_seconds, put_index, s3_environment

sys.path.append(str(ROOT / "functions"))

from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Upload, group_of
from imagemill_app.plan.plan_run import plan_run
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import write_bytes
from imagemill_contract.keys import group_key
from imagemill_contract.locations import Location

WINDOW, UPLOADS = "20261123T101500Z-60s", 10


def put_uploads(count: int) -> None:
    """The inbox of a window: pictures that lie evenly among those that are done."""
    source, output = Location("s3://input-bucket", "full/"), Location("s3://output-bucket")
    names = [name_of(number, count) for number in range(0, count, count // UPLOADS)][:UPLOADS]
    uploads = [
        Upload("input-bucket", f"full/{name}.new.jpg", etag_of(7), 9, "01") for name in names
    ]
    group = group_of(uploads, source)
    assert group is not None
    write_bytes(output, group_key(WINDOW, group.rows), group.document(Spent()))


def plan() -> None:
    settings = PlanRunSettings("output-bucket", 256, 30, 250_000, "{}", False, "", "image")
    before, began = cpu_seconds(), time.monotonic()
    run = plan_run(f"upload-{WINDOW}", STARTED, {"window": WINDOW}, settings)
    assert isinstance(run, PlannedRun)
    assert run.to_do == {"new": UPLOADS}, run
    print(json.dumps({"cpu": cpu_seconds() - before, "wall": time.monotonic() - began}))


def measured(count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.uploads_beside", str(count)]
    with s3_environment(count, count) as (environment, requests):
        subprocess.run([*command, "--make"], env=environment, check=True, cwd=ROOT)
        requests()
        done = subprocess.run(
            [*command, "--child"], env=environment, check=True, cwd=ROOT, stdout=subprocess.PIPE
        )
        return {**json.loads(done.stdout), "requests": requests()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        put_index(options.counts[0], options.counts[0])
        put_uploads(options.counts[0])
    elif options.child:
        plan()
    else:
        print("| done before | CPU s | wall s | requests |")
        print("|---|---|---|---|")
        for count in options.counts:
            row = measured(count)
            requests = ", ".join(f"{n:,} {kind}" for kind, n in sorted(row["requests"].items()))
            print(f"| {count:,} | {row['cpu']:.2f} | {row['wall']:.2f} | {requests} |", flush=True)


if __name__ == "__main__":
    main()
