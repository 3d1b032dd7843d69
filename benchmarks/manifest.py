"""A manifest of very many keys, in no order: what `PlanRun` takes to cut it into slices.

`python -m benchmarks.manifest 1000000` makes a list of keys with ETags and lengths, sorts it as
`PlanRun` does, and prints CPU microseconds for each key, the bytes of temporary files for each, and
the peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path
from typing import IO
from unittest.mock import patch

from benchmarks.key_server import name_of
from benchmarks.listing import ROOT

sys.path.append(str(ROOT / "functions"))

from imagemill_app.collector import uncollected
from imagemill_app.plan.source.in_hand import key_order
from imagemill_app.plan.source.listing import gather
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest

SLICE, SOURCE = 250_000, Location("s3://input-bucket", "full/")


def write_manifest(path: Path, count: int) -> None:
    """Lines of JSON for `count` keys, shuffled."""
    numbers = list(range(count))
    random.Random(1).shuffle(numbers)
    with path.open("w", encoding="utf-8") as file:
        for number in numbers:
            etag = md5(str(number).encode(), usedforsecurity=False).hexdigest()
            row = {"key": f"full/{name_of(number, count)}", "etag": etag, "size": 670_000}
            file.write(json.dumps(row) + "\n")


@uncollected
def cut(path: Path, count: int) -> int:
    """Read and sort the manifest; bytes of temporary files that were written for it."""
    written = 0
    write = key_order._written

    def counted(items: Sequence[key_order.Found]) -> IO[bytes]:
        nonlocal written
        file = write(items)
        written += os.fstat(file.fileno()).st_size
        return file

    request = RunRequest(Recipe(), source=SOURCE, manifest=path.as_uri())
    with patch.object(key_order, "_written", counted):
        found = sum(len(piece.objects) for piece in gather(request, SOURCE, SLICE))
    assert found == count, found
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=1_000_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.jsonl")
        if os.fork() == 0:  # its memory is not that of what is measured
            write_manifest(path, count)
            os._exit(0)
        os.wait()
        before, began = time.process_time(), time.monotonic()
        written = cut(path, count)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{count:,} keys: {(time.process_time() - before) / count * 1e6:.1f} us of CPU and "
            f"{written / count:.0f} bytes of files for each, {peak_mib:.0f} MiB, "
            f"{time.monotonic() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
