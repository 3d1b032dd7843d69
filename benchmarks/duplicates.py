"""`imagemill duplicates` over the index of very many samples.

Run: python -m benchmarks.duplicates [SAMPLES ...]

Fingerprints are those of smooth random fields, whose bits depend on each other as in photographs,
and of independent bits; one of a hundred samples is a copy in which two bits differ. The worker
runs in a process of its own over the folder.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from benchmarks.packed_cpu import folder_environment
from imagemill_contract.index_keys import index_key, leaves_stem
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.parts.written_part import written_part
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.store import DatasetStore

RUN = IndexedRun("run-1", "2026-01-01T00:00:00.000Z", "s3://photos/", Recipe().to_document())
SHARD = DatasetShard("dataset/images-train-0-00000-0000.tar", "train", 0, 0, "", PixelSums())
BLOCK = 20_000


def smooth(count: int, random: np.random.Generator) -> list[int]:
    """Fingerprints of fields of 5 x 5 random values, enlarged, with noise."""
    fields = random.normal(size=(count, 5, 5)).astype(np.float32)
    large = np.array(
        [cv2.resize(field, (9, 8), interpolation=cv2.INTER_LINEAR) for field in fields]
    )
    large += 0.1 * random.normal(size=large.shape)
    bits = (large[:, :, :-1] < large[:, :, 1:]).reshape(count, 64)
    found: list[int] = np.packbits(bits, axis=1).view(">u8").ravel().tolist()
    return found


def fingerprints(count: int, kind: str) -> Iterator[int]:
    random = np.random.default_rng(1)
    for first in range(0, count, BLOCK):
        some = min(BLOCK, count - first)
        if kind == "smooth":
            numbers = smooth(some, random)
        else:
            numbers = random.integers(0, 2**64, some, dtype=np.uint64).tolist()
        for at, number in enumerate(numbers):
            if at % 100 == 99:
                one, other = random.choice(64, 2, replace=False).tolist()
                number = numbers[at - 1] ^ 1 << one ^ 1 << other
            yield number


def rows(count: int, kind: str) -> Iterator[tuple[str, Entry]]:
    for number, found in enumerate(fingerprints(count, kind)):
        digest = f"{number // 100 if number % 100 == 99 else number:064x}"[::-1]
        place = Place(SHARD.key, number, 128, 128, 9_000, 2_000, digest)
        entry = Entry(f"{number:032x}", None, RUN, place=place, fingerprint=f"{found:016x}")
        yield f"{number:09}.jpg", entry


def write_index(folder: Path, count: int, kind: str) -> None:
    key, store = index_key(RUN.started, RUN.run_id), DatasetStore.open(f"file://{folder}/")
    store.write(key, written_part(store, leaves_stem(key), rows(count, kind), {SHARD.key: SHARD}))


def found_in(folder: Path, distance: str) -> Mapping[str, int]:
    """The summary of the command, which runs in a process of its own."""
    options = ["--distance", distance] if distance else []
    command = [
        sys.executable,
        "-m",
        "imagemill_worker",
        "duplicates",
        "--output",
        f"file://{folder}/",
    ]
    done = subprocess.run(
        [*command, *options], env=folder_environment(), capture_output=True, text=True, check=True
    )
    summary: Mapping[str, int] = json.loads(done.stdout.splitlines()[-1])
    return summary


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(count: int, kind: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        write_index(Path(base), count, kind)
        for distance in ("", "0", "2", "4"):
            before, began = cpu_seconds(), time.monotonic()
            groups = found_in(Path(base), distance)["groups"]
            wall, cpu = time.monotonic() - began, cpu_seconds() - before
            mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            what = f"distance {distance}" if distance else "the same bytes"
            print(
                f"| {count:,} | {kind} | {what} | {groups:,} | {cpu:.1f} | {wall:.1f} | "
                f"{mebibytes:.0f} |",
                flush=True,
            )


def main() -> None:
    os.environ["ALLOW_FILE_URIS"] = "true"
    print("| samples | fingerprints | found | groups | CPU s | wall s | MiB |")
    print("|---|---|---|---|---|---|---|")
    for count in [int(text) for text in sys.argv[1:]] or [1_000_000]:
        for kind in ("independent", "smooth"):
            measure(count, kind)


if __name__ == "__main__":
    main()
