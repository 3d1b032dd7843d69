"""What do the journal and the limiter of requests cost a job while nothing goes wrong?

    python -m benchmarks.safety

The same jobs over the same photographs, as they are and without either, over folders and against a
loopback S3, in alternating rounds. A ratio is the rate as it is over the rate without them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.against import Measured, measured, ratios, row
from benchmarks.packed_cpu import folder_environment, folder_shard, link_photographs
from benchmarks.photographs import ROOT, mean_bytes, photographs
from benchmarks.s3_job import Server, put_shard, worker_environment
from imagemill_contract.recipe import Output, Recipe

_CUSTOMIZE = "import sys\nif '-m' in sys.orig_argv: import benchmarks.without_safety\n"

Environment = dict[str, str]
Change = Callable[[Environment], Environment]


def of_variant(environment: Environment, folder: Path, *, is_safe: bool) -> Environment:
    """The environment of a job, as it is or without journal and limiter."""
    path = os.pathsep.join([str(folder), str(ROOT), environment["PYTHONPATH"]])
    return {**environment, "PYTHONPATH": path} | ({"AS_IT_IS": "1"} if is_safe else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--where", nargs="*", choices=["s3", "folders"], default=["s3", "folders"])
    options = parser.parse_args()
    objects, rounds = options.objects, options.rounds
    photographs()
    print(f"{objects} photographs of {mean_bytes() / 1000:.0f} KB, {rounds} rounds,", end=" ")
    print(f"{time.strftime('%Y-%m-%d')}; the rate with journal and limiter over that without\n")
    print("| jobs | by CPU | by wall |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "customized")
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_CUSTOMIZE)

        def rates(name: str, measure: Callable[[Change], Measured]) -> None:
            def of(variant: Path) -> Measured:
                is_safe = variant == ROOT
                return measure(lambda given: of_variant(given, folder, is_safe=is_safe))

            print(row(name, ratios(of, folder, rounds)), flush=True)

        server = Server()
        try:
            for output in (Output.FILES, Output.WEBDATASET) if "s3" in options.where else ():

                def over_s3(changed: Change, output: Output = output) -> Measured:
                    shard = put_shard(server.endpoint, objects, Recipe(output=output))
                    return measured(shard, changed(worker_environment(server)))

                rates(f"S3, {output}", over_s3)
        finally:
            server.process.kill()
        photos = Path(base, "photos")
        link_photographs(photos, objects)

        def over_folders(changed: Change) -> Measured:
            with tempfile.TemporaryDirectory(dir=base) as out:
                shard = folder_shard(photos, Path(out), Recipe())
                return measured(shard, changed(folder_environment()))

        if "folders" in options.where:
            rates("folders, files", over_folders)


if __name__ == "__main__":
    main()
