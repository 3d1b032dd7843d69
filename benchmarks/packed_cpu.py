"""Do dataset shards cost more CPU than one file per picture and stage?

Both jobs run over the same 600 photographs with each `output`, against a loopback S3 and over
folders. CPU seconds are those in their last log lines, starts included. Jobs run on core 0, the
server on core 1. Rounds go A B C D A B C D; ratios are within one round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from obstore.store import LocalStore

from benchmarks.photographs import ROOT, mean_bytes, photographs
from benchmarks.s3_job import Server, Translate, on_core, put_shard, worker_environment
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Output, Recipe

Seconds = dict[Stage, float]


def cpu_seconds(shard: str, environment: dict[str, str]) -> Seconds:
    """CPU seconds of the resize job and the edge job of a shard."""
    seconds = {}
    for stage in stages_of(Recipe()):
        command = [sys.executable, "-m", "imagemill_worker", stage, "--shard", shard]
        done = subprocess.run(
            command,
            env=environment,
            preexec_fn=on_core(0),
            stdout=subprocess.PIPE,
            check=True,
        )
        end = json.loads(done.stdout.splitlines()[-1])
        assert (end["event"], end["written"]) == ("end", end["planned"]), end
        seconds[stage] = end["cpu_seconds"]
    return seconds


def link_photographs(folder: Path, count: int) -> None:
    """Make `count` links to the same photographs."""
    folder.mkdir()
    paths = [photo.path for photo in photographs()]
    for number in range(count):
        (folder / f"{number:05}.jpg").symlink_to(paths[number % len(paths)])


def folder_shard(photos: Path, out: Path, recipe: Recipe, translate: Translate = bytes) -> str:
    """The address of a shard document for folders, written as `translate` would have it."""
    metas = [meta for page in LocalStore(photos).list() for meta in page]
    objects = [
        SourceObject(meta["path"], str(meta["e_tag"]).strip('"'), meta["size"])
        for meta in sorted(metas, key=lambda meta: meta["path"])
    ]
    places = [Location.of_folder(PurePosixPath(path)) for path in (photos, out)]
    path = out / keys.shard_key("bench", "00000")
    path.parent.mkdir(parents=True, exist_ok=True)
    body = Shard("bench", "00000", places[0], places[1], recipe, objects).encode()
    path.write_bytes(translate(body))
    return path.as_uri()


def folder_environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
    return {**os.environ, "ALLOW_FILE_URIS": "true", "PYTHONPATH": path}


def rounds(measure: Callable[[Output], Seconds], count: int) -> dict[Output, list[Seconds]]:
    found: dict[Output, list[Seconds]] = {output: [] for output in Output}
    measure(Output.FILES)  # files cached, byte code written
    for _ in range(count):
        for output in Output:
            found[output].append(measure(output))
    return found


def markdown(found: dict[Output, list[Seconds]], objects: int) -> str:
    lines = ["| output | resize ms | edge ms | both ms | of files |", "|---|---|---|---|---|"]
    files = [sum(seconds.values()) for seconds in found[Output.FILES]]
    for output, mine in found.items():
        stages = [
            statistics.median(seconds[stage] for seconds in mine) for stage in stages_of(Recipe())
        ]
        both = [sum(seconds.values()) for seconds in mine]
        share = statistics.median(a / b for a, b in zip(both, files, strict=True))
        cells = [f"{1000 * value / objects:.2f}" for value in (*stages, statistics.median(both))]
        lines.append(f"| {output} | {' | '.join(cells)} | {share:.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    objects, count = options.objects, options.rounds
    photographs()
    print(f"{objects} photographs of {mean_bytes() / 1000:.0f} KB, {count} rounds,", end=" ")
    print(f"{time.strftime('%Y-%m-%d')}; ms of CPU for a picture\n")
    server = Server()

    def over_s3(output: Output) -> Seconds:
        shard = put_shard(server.endpoint, objects, Recipe(output=output))
        return cpu_seconds(shard, worker_environment(server))

    try:
        print(f"S3\n\n{markdown(rounds(over_s3, count), objects)}\n", flush=True)
    finally:
        server.process.kill()
    environment = folder_environment()
    with tempfile.TemporaryDirectory() as base:
        photos = Path(base, "photos")
        link_photographs(photos, objects)

        def over_folders(output: Output) -> Seconds:
            with tempfile.TemporaryDirectory(dir=base) as out:
                return cpu_seconds(
                    folder_shard(photos, Path(out), Recipe(output=output)), environment
                )

        print(f"Folders\n\n{markdown(rounds(over_folders, count), objects)}", flush=True)


if __name__ == "__main__":
    main()
