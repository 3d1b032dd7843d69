"""Threads or processes? Images per second of decode, resize and encode on one and two vCPUs.

`python -m benchmarks.vcpus` compares two processes on two cores with two threads of one process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.photographs import photographs
from benchmarks.rivals import imagemill
from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

ROUNDS, PASSES = 5, 12


def child(threads: int) -> None:
    """Print the images per second of this process."""
    bodies = [photo.read() for photo in photographs()]
    convert = imagemill()
    list(map(convert, bodies))
    work = bodies * PASSES
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(convert, work))
    print(len(work) / (time.perf_counter() - began))


def rate(processes: int, threads: int) -> float:
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.vcpus", str(threads)],
            env={**os.environ, **LANE_ENVIRONMENT, "MALLOC_ARENA_MAX": "4"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    return sum(float(process.communicate()[0]) for process in children)


def main() -> None:
    if len(sys.argv) > 1:
        child(int(sys.argv[1]))
        return
    shapes = {"1 process": (1, 1), "2 threads": (1, 2), "2 processes": (2, 1)}
    rates: dict[str, list[float]] = {name: [] for name in shapes}
    for _ in range(ROUNDS):
        for name, shape in shapes.items():
            rates[name].append(rate(*shape))
    print("| | images/s | x one |\n|---|---|---|")
    for name, mine in rates.items():
        times = statistics.median(a / b for a, b in zip(mine, rates["1 process"], strict=True))
        print(f"| {name} | {statistics.median(mine):.1f} | {times:.2f} |")


if __name__ == "__main__":
    main()
