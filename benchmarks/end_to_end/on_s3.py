"""The jobs of a shard on S3, 30 to 60 ms to the first byte, against boto3 in a pool of processes.

`python -m benchmarks.end_to_end.on_s3`: both do their work on core 0, the loopback server is on
core 1. Photographs are those of `benchmarks.photographs`. Wall seconds include the starts.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

from benchmarks.bars import say
from benchmarks.end_to_end.stopwatch import Spent, spent
from benchmarks.end_to_end.ways import SCRIPTS
from benchmarks.photographs import mean_bytes, photographs
from benchmarks.s3_job import Server, put_shard, worker_environment

OBJECTS, PROCESSES, ROUNDS = 1000, 16, 3
POOL, JOBS = f"boto3, pool of {PROCESSES}", "imagemill, both jobs"


def pinned(command: list[str], env: dict[str, str]) -> Spent:
    return spent(["taskset", "--cpu-list", "0", *command], env)


def by_jobs(server: Server) -> Spent:
    shard = put_shard(server.endpoint, OBJECTS)
    command = [sys.executable, "-m", "imagemill_worker"]
    stages = [[*command, stage, "--shard", shard] for stage in ("resize", "edge")]
    found = [pinned(stage, worker_environment(server)) for stage in stages]
    return Spent(sum(one.wall for one in found), sum(one.cpu for one in found))


def by_pool(server: Server) -> Spent:
    script = [sys.executable, str(SCRIPTS / "boto3_pool.py"), "bucket", str(OBJECTS)]
    env = {**os.environ, **worker_environment(server)}
    return pinned([*script, str(PROCESSES)], env)


def main() -> None:
    found: dict[str, list[Spent]] = {POOL: [], JOBS: []}
    photographs()  # the server reads them when it starts
    server = Server()
    try:
        for _ in range(ROUNDS):
            for name, measure in ((POOL, by_pool), (JOBS, by_jobs)):
                found[name].append(measure(server))
                assert server.report()["writes"] == OBJECTS
    finally:
        server.process.kill()
    print(f"{time.strftime('%Y-%m-%d')}, {OBJECTS:,} photographs of", end=" ")
    print(f"{mean_bytes() / 1000:.0f} KB, {ROUNDS} rounds, one core\n")
    print("| way | wall s | CPU s per 1,000 |\n|---|---|---|")
    for name, values in found.items():
        wall = statistics.median(one.wall for one in values)
        cpu = 1000 * statistics.median(one.cpu for one in values) / OBJECTS
        print(f"| {name} | {wall:.1f} | {cpu:.2f} |")
    pairs = zip(found[JOBS], found[POOL], strict=True)
    share = statistics.median(mine.wall / theirs.wall for mine, theirs in pairs)
    say("S3: wall of the boto3 pool's", share, at_most=0.85)


if __name__ == "__main__":
    main()
