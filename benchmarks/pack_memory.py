"""Does the memory of an edge job stay flat while it packs dataset shards of 256 MB?

Pictures have 1536 x 1536 pixels, JPEG q95, so that a few hundred fill a shard. The resize job runs
once for each store, the edge job for each format: over a folder, and against a loopback S3, to
which a shard goes in parts. Memory is the resident memory of the supervisor and its lanes. Bytes
written are those that the supervisor writes, to temporary files and to the store.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory import resident_mib
from benchmarks.packed_cpu import folder_environment, folder_shard, link_photographs
from benchmarks.s3_job import Server, put_shard, worker_environment
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Output, Recipe

PACKED = tuple(output for output in Output if output is not Output.FILES)
LINES = 16  # of a curve


@dataclass(frozen=True)
class Moment:
    seconds: float
    mib: float
    written_mb: float


@dataclass(frozen=True)
class Curve:
    """The memory of one job, and its last log line."""

    name: str
    moments: list[Moment]

    @property
    def most_mib(self) -> float:
        return max(moment.mib for moment in self.moments)

    def __str__(self) -> str:
        step = -(-len(self.moments) // LINES)
        lines = [
            f"{moment.seconds:6.1f} s {moment.mib:5.0f} MiB {moment.written_mb:6.0f} MB "
            + "#" * int(moment.mib / 8)
            for moment in [*self.moments[::step], self.moments[-1]]
        ]
        return "\n".join([self.name, *lines, ""])


def written_mb(process_id: int) -> float:
    """Megabytes in all write calls of a process."""
    lines = Path(f"/proc/{process_id}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar")) / 1e6


def job_curve(name: str, stage: Stage, shard: str, environment: dict[str, str]) -> Curve:
    command = [sys.executable, "-m", "imagemill_worker", stage, "--shard", shard]
    moments = []
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as job:
        while job.poll() is None:
            time.sleep(0.1)
            try:
                seconds = time.monotonic() - began
                moment = Moment(seconds, resident_mib(job.pid), written_mb(job.pid))
            except (FileNotFoundError, ProcessLookupError, StopIteration):
                break
            if moment.mib:  # it has ended otherwise
                moments.append(moment)
    assert job.returncode == 0, name
    return Curve(name, moments)


def curves(
    store: str,
    shard_bytes: int,
    new_shard: Callable[[Recipe], str],
    environment: dict[str, str],
) -> list[Curve]:
    """Curves of the resize job, and of an edge job for each format over its results."""
    found: list[Curve] = []
    for output in PACKED:
        shard = new_shard(Recipe(size=1536, output=output, shard_bytes=shard_bytes))
        if not found:
            found.append(job_curve(f"{store}, resize", Stage.RESIZE, shard, environment))
        found.append(job_curve(f"{store}, edge, {output}", Stage.EDGE, shard, environment))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument("--shard-bytes", type=int, default=Recipe().shard_bytes)
    options = parser.parse_args()
    objects = options.objects
    with tempfile.TemporaryDirectory() as base:
        photos, out = Path(base, "photos"), Path(base, "out")
        link_photographs(photos, objects)
        found = curves(
            "folder",
            options.shard_bytes,
            lambda recipe: folder_shard(photos, out, recipe),
            folder_environment(),
        )
    server = Server(wait_seconds=0)
    try:
        found += curves(
            "S3",
            options.shard_bytes,
            lambda recipe: put_shard(server.endpoint, objects, recipe),
            worker_environment(server),
        )
    finally:
        server.process.kill()
    print("\n".join(map(str, found)))
    print(f"| {objects} photographs, {time.strftime('%Y-%m-%d')} | most MiB | MB written |")
    print("|---|---|---|")
    for curve in found:
        print(f"| {curve.name} | {curve.most_mib:.0f} | {curve.moments[-1].written_mb:.0f} |")


if __name__ == "__main__":
    main()
