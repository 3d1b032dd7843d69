"""Is a job slower than that of another checkout of this project, say of an earlier commit?

    python -m benchmarks.against --other ../before

Both checkouts' workers, each in processes of its own, do the same resize and edge jobs over the
same photographs: over folders, and against a loopback S3. CPU seconds are those of all processes,
in their last log lines; wall seconds include the start. Jobs run on core 0, the server on core 1.
Rounds go A B B A; a ratio is this checkout's rate over the other's in one round.

The other's shard documents lack the fields of a recipe that it does not know. Edges have the fixed
thresholds that commits without `canny_high` always had, so that both do the same work on pixels.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.packed_cpu import cpu_seconds, folder_environment, folder_shard, link_photographs
from benchmarks.photographs import ROOT, mean_bytes, photographs
from benchmarks.s3_job import Server, Translate, put_shard, worker_environment
from imagemill_contract.recipe import Output, Recipe

Measured = tuple[float, float]  # CPU and wall seconds of both jobs

_PRINT_FIELDS = (
    "import dataclasses, imagemill_contract.recipe as recipe\n"
    "print(*(field.name for field in dataclasses.fields(recipe.Recipe)))"
)


def measured(shard: str, environment: dict[str, str]) -> Measured:
    began = time.monotonic()
    cpu = sum(cpu_seconds(shard, environment).values())
    return cpu, time.monotonic() - began


def of_checkout(environment: dict[str, str], root: Path) -> dict[str, str]:
    """The environment of a job with the code of another checkout."""
    path = os.pathsep.join([str(root / "contract"), str(root / "batch_worker")])
    return {**environment, "PYTHONPATH": path}


def recipe_of(output: Output) -> Recipe:
    return Recipe(output=output, canny_low=100, canny_high=200)


def known_to(root: Path) -> Translate:
    """What leaves the fields of a recipe that a checkout does not know out of a shard document."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PRINT_FIELDS],
        env={**os.environ, "PYTHONPATH": str(root / "contract")},
        stdout=subprocess.PIPE,
        check=True,
    )
    known = set(done.stdout.decode().split())

    def translate(body: bytes) -> bytes:
        header, rows = gzip.decompress(body).split(b"\n", 1)
        document = json.loads(header)
        recipe = document["recipe"].items()
        document["recipe"] = {name: value for name, value in recipe if name in known}
        return gzip.compress(json.dumps(document).encode() + b"\n" + rows, mtime=0)

    return translate


def ratios(measure: Callable[[Path], Measured], other: Path, rounds: int) -> list[Measured]:
    """The other's seconds over ours, for CPU and wall, round by round."""
    for root in (ROOT, other):  # files cached, byte code written
        measure(root)
    found = []
    for number in range(rounds):
        order = (ROOT, other) if number % 2 else (other, ROOT)
        seconds = {root: measure(root) for root in order}
        pairs = zip(seconds[other], seconds[ROOT], strict=True)
        cpu, wall = (theirs / mine for theirs, mine in pairs)
        found.append((cpu, wall))
    return found


def row(name: str, found: list[Measured]) -> str:
    cells = []
    for values in zip(*found, strict=True):
        low, high = min(values), max(values)
        cells.append(f"{statistics.median(values):.3f} ({low:.3f} to {high:.3f})")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--other", type=Path, required=True)
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only", default="", help="jobs whose names begin so, as `S3, web`")
    options = parser.parse_args()
    other, objects, rounds = options.other.resolve(), options.objects, options.rounds
    photographs()
    translations = {root: known_to(root) for root in (ROOT, other)}
    print(f"{objects} photographs of {mean_bytes() / 1000:.0f} KB, {rounds} rounds,", end=" ")
    print(f"{time.strftime('%Y-%m-%d')}; this checkout's rate over the other's\n")
    print("| jobs | by CPU | by wall |\n|---|---|---|")
    server = Server()
    try:
        for output in (Output.FILES, Output.WEBDATASET):

            def over_s3(root: Path, output: Output = output) -> Measured:
                recipe = recipe_of(output)
                shard = put_shard(server.endpoint, objects, recipe, translations[root])
                return measured(shard, of_checkout(worker_environment(server), root))

            name = f"S3, {output}"
            if name.startswith(options.only):
                print(row(name, ratios(over_s3, other, rounds)), flush=True)
    finally:
        server.process.kill()
    if not "folders, files".startswith(options.only):
        return
    with tempfile.TemporaryDirectory() as base:
        photos = Path(base, "photos")
        link_photographs(photos, objects)

        def over_folders(root: Path) -> Measured:
            with tempfile.TemporaryDirectory(dir=base) as out:
                recipe = recipe_of(Output.FILES)
                shard = folder_shard(photos, Path(out), recipe, translations[root])
                return measured(shard, of_checkout(folder_environment(), root))

        print(row("folders, files", ratios(over_folders, other, rounds)), flush=True)


if __name__ == "__main__":
    main()
