"""How long a job takes to start: until `--help` ends, the first request, the first picture."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.photographs import photographs
from benchmarks.s3_job import Server, on_core, put_shard, worker_environment

ROUNDS = 9


def main() -> None:
    photographs()  # the server reads them when it starts
    server = Server(wait_seconds=0)
    help_seconds, request_seconds, read_seconds = [], [], []
    try:
        shard = put_shard(server.endpoint, 16)
        env = worker_environment(server)
        command = [sys.executable, "-m", "imagemill_worker"]
        for _ in range(ROUNDS):
            began = time.monotonic()
            subprocess.run(
                [*command, "--help"], env=env, preexec_fn=on_core(0), stdout=subprocess.DEVNULL,
                check=True,
            )  # fmt: skip
            help_seconds.append(time.monotonic() - began)
            server.report()
            began = time.monotonic()
            subprocess.run(
                [*command, "resize", "--shard", shard], env=env, preexec_fn=on_core(0),
                stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
            report = server.report()
            request_seconds.append(report["first_request"] - began)
            read_seconds.append(report["first_read"] - began)
    finally:
        server.process.kill()
    print("| on one core, from the start of the process | seconds, median |\n|---|---|")
    print(f"| --help done | {statistics.median(help_seconds):.3f} |")
    print(f"| first GET (the shard document) | {statistics.median(request_seconds):.3f} |")
    print(f"| first GET of a picture | {statistics.median(read_seconds):.3f} |")


if __name__ == "__main__":
    main()
