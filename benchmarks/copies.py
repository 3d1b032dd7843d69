"""What `--drop-duplicates` costs the plan: a million objects of a bucket, and files of a folder.

Run: python -m benchmarks.copies [OBJECTS] [FILES] [SLICES]

One object of ten is a copy. Files have lengths of 20 to 60 KB, so that many have the same. Of
SLICES of 250,000 objects, half of which are to do, one object of a hundred has a copy in the slice
before; their plan is in a folder, and what commits it is a process of its own.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from imagemill_app.plan.documents import Plan, write_slice
from imagemill_app.plan.earlier.remaining import Work
from imagemill_app.plan.sifting.copies import without_copies
from imagemill_app.plan.sifting.copies_between import (
    Candidate,
    candidates_of,
    copies_between,
    write_candidates,
)
from imagemill_app.plan.sifting.copies_left_out import without_copies_between
from imagemill_app.plan.source.slices import slice_number
from imagemill_app.plan.totals import PlanTotals, read_totals, write_totals
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe

SEVERAL = 10  # one of so many is a copy
IN_A_SLICE, IN_A_SHARD, RARELY = 250_000, 4_000, 100
BUCKET = Location("s3://photos")
RUN_ID = "run-1"


def objects_of_bucket(count: int) -> list[SourceObject]:
    return [
        SourceObject(f"{number:08}.jpg", f"{number - (number % SEVERAL == 1):032x}", 110_000)
        for number in range(count)
    ]


def files_of_folder(folder: Path, count: int) -> list[SourceObject]:
    drawn, body = random.Random(1), b""
    objects = []
    for number in range(count):
        if number % SEVERAL != 1:
            body = drawn.randbytes(drawn.randint(20_000, 60_000))
        path = folder / f"{number:08}.jpg"
        path.write_bytes(body)
        objects.append(SourceObject(path.name, path.name, len(body)))
    return objects


def measure(what: str, objects: list[SourceObject], source: Location) -> None:
    cpu, wall = time.process_time(), time.monotonic()
    refused = len(without_copies(objects, source, {}).refused)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    each = 1e6 * cpu / len(objects)
    print(f"{what}: {len(objects):,} objects, {refused:,} copies, {each:.1f} us each, {wall:.1f} s")


def objects_of_slice(place: int) -> list[SourceObject]:
    first = place * IN_A_SLICE

    def content(number: int) -> int:
        is_copy = place and number % RARELY == 1
        return number - IN_A_SLICE - 1 if is_copy else number

    return [
        SourceObject(
            f"photos/{number:010}.jpg", f"{content(number) * 0x9E3779B97F4A7C15:032x}", 110_000
        )
        for number in range(first, first + IN_A_SLICE)
    ]


def planned_slice(place: int, output: Location) -> float:
    """CPU seconds that it takes to leave a slice's objects for whoever looks for copies."""
    number, objects = slice_number(place, 0), objects_of_slice(place)
    to_do = objects[: IN_A_SLICE // 2]
    shards = [to_do[at : at + IN_A_SHARD] for at in range(0, len(to_do), IN_A_SHARD)]
    work = Work(to_do, {"new": len(to_do)}, {"unchanged": len(objects) - len(to_do)})
    plan = Plan(BUCKET, output, shards, work, [], {}, {}, slice_number=number)
    write_slice(RUN_ID, Recipe(), plan)
    write_totals(output, RUN_ID, number, plan.totals(RUN_ID, Recipe()))
    open_keys = frozenset(item.key for item in to_do)
    why = {item.key: "new" if item.key in open_keys else "unchanged" for item in objects}
    began = time.process_time()
    candidates: list[Candidate] = candidates_of(objects, BUCKET, {}, why, open_keys)
    write_candidates(output, RUN_ID, number, candidates)
    return time.process_time() - began


def commit(output: Location, count: int) -> Iterator[str]:
    """Leave out the copies of a plan; what that has taken."""
    totals, numbers = PlanTotals(), [slice_number(place, 0) for place in range(count)]
    for number in numbers:
        totals = totals.plus(read_totals(output, RUN_ID, number))
    began = time.process_time()
    copies = copies_between(output, RUN_ID, numbers, BUCKET)
    left = without_copies_between(totals, copies, output, RUN_ID, dry_run=False)
    yield f"{left.refused:,} copies between slices"
    each = 1e6 * (time.process_time() - began) / (count * IN_A_SLICE)
    yield f"CommitPlan {each:.1f} us each"
    yield f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"


def measure_slices(count: int) -> None:
    with tempfile.TemporaryDirectory() as base:
        output = Location.of_folder(PurePosixPath(base))
        cpu = sum(planned_slice(place, output) for place in range(count))
        each = 1e6 * cpu / (count * IN_A_SLICE)
        print(
            f"{count} slices: {count * IN_A_SLICE:,} objects, PlanSlice {each:.1f} us each",
            flush=True,
        )
        command = [sys.executable, "-m", "benchmarks.copies", "commit", base, str(count)]
        began = time.monotonic()
        subprocess.run(command, check=True)
        print(f"{time.monotonic() - began:.0f} s")


def main() -> None:
    if sys.argv[1:2] == ["commit"]:
        folder, count = sys.argv[2:]
        print(", ".join(commit(Location.of_folder(PurePosixPath(folder)), int(count))))
        return
    objects, files, slices = [int(text) for text in sys.argv[1:]] or (1_000_000, 50_000, 4)
    measure("bucket", objects_of_bucket(objects), Location("s3://photos"))
    with tempfile.TemporaryDirectory() as base:
        found = files_of_folder(Path(base), files)
        measure("folder", found, Location.of_folder(PurePosixPath(base)))
    measure_slices(slices)


if __name__ == "__main__":
    main()
