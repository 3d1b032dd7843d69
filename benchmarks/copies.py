"""What `--drop-duplicates` costs the plan: a million objects of a bucket, and files of a folder.

Run: python -m benchmarks.copies [OBJECTS] [FILES]

One object of ten is a copy. Files have lengths of 20 to 60 KB, so that many have the same.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath

from imagemill_app.plan.sifting.copies import without_copies
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location

SEVERAL = 10  # one of so many is a copy


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


def main() -> None:
    objects, files = [int(text) for text in sys.argv[1:]] or (1_000_000, 50_000)
    measure("bucket", objects_of_bucket(objects), Location("s3://photos"))
    with tempfile.TemporaryDirectory() as base:
        found = files_of_folder(Path(base), files)
        measure("folder", found, Location.of_folder(PurePosixPath(base)))


if __name__ == "__main__":
    main()
