"""The search for vectors that are alike, as `imagemill duplicates --by vector` does it.

Run: OPENBLAS_NUM_THREADS=1 python -m benchmarks.vectors [VECTORS ...]

Vectors have 512 numbers, of which later ones say less, as those of networks; they lie about 1,000
centres, or anywhere. Of a hundred, one is another one with noise. Each search is a process of its
own, whose memory has the vectors, too: 1 KiB each.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time

import numpy as np

from imagemill_worker.dataset.alike.cosine import Vectors, leaders

SIZE, CENTRES, BLOCK, DISTANCE = 512, 1000, 8192, 0.02


def vectors_of(count: int, kind: str) -> Vectors:
    random = np.random.default_rng(0)
    scale = (1 / np.sqrt(1 + np.arange(SIZE))).astype(np.float32)
    centres = random.standard_normal((CENTRES, SIZE)).astype(np.float32)
    found = np.empty((count, SIZE), np.float16)
    for start in range(0, count, BLOCK):
        some = min(BLOCK, count - start)
        block = random.standard_normal((some, SIZE), np.float32)
        if kind == "centres":
            block = (block + centres[random.integers(0, CENTRES, some)]) * scale
        found[start : start + some] = block
    half, copies = count // 2, count // 100
    ones = random.choice(half, copies, replace=False)
    noise = 1 + 0.05 * random.standard_normal((copies, SIZE), np.float32)
    found[half + random.choice(half, copies, replace=False)] = found[ones] * noise
    return found


def search(count: int, kind: str) -> None:
    vectors = vectors_of(count, kind)
    began, before = time.process_time(), time.monotonic()
    found = leaders(vectors, DISTANCE, threading.Event())
    cpu, wall = time.process_time() - began, time.monotonic() - before
    groups = int((np.bincount(found) > 1).sum())
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {count:,} | {kind} | {groups:,} | {cpu:.1f} | {wall:.1f} | {mebibytes:,.0f} |",
        flush=True,
    )


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[2] in ("centres", "anywhere"):
        search(int(sys.argv[1]), sys.argv[2])
        return
    print("| vectors | where | groups | CPU s | wall s | MiB |")
    print("|---|---|---|---|---|---|", flush=True)
    for count in sys.argv[1:] or ["10000", "100000", "1000000"]:
        for kind in ("centres", "anywhere"):
            words = ["-m", "benchmarks.vectors", count, kind]
            subprocess.run([sys.executable, *words], check=True)


if __name__ == "__main__":
    main()
