"""A long run: very many small pictures, on the embedded engine, in one run and then a small one.

`python -m benchmarks.soak --pictures 300000` makes them, runs `imagemill run` over them, changes
1,000 of them and adds 1,000, and runs it again. It prints wall time and the peak memory of every
process, and fails unless each picture has its results and the second run does exactly 2,000.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DISTINCT, FOLDERS, CHANGES = 2_000, 300, 1_000
SIDE_PIXELS = 64
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Ended:
    """A command that has ended: seconds, and the peak MiB of each kind of process."""

    seconds: float
    peaks: dict[str, int]


def make_pictures(folder: Path, count: int) -> list[Path]:
    """Small JPEG files with a picture each, of which every DISTINCT-th is the same."""
    bodies = [picture(seed) for seed in range(min(DISTINCT, count))]
    paths = []
    for number in range(count):
        path = folder / f"{number % FOLDERS:03}" / f"{number:07}.jpg"
        if number < FOLDERS:
            path.parent.mkdir(parents=True)
        path.write_bytes(bodies[number % len(bodies)])
        paths.append(path)
    return paths


def picture(seed: int) -> bytes:
    """A JPEG of some ellipses on a gradient."""
    draw = random.Random(seed)  # pictures, not secrets
    ramp = np.linspace(draw.randrange(120), draw.randrange(120, 256), SIDE_PIXELS)
    pixels = np.repeat(np.tile(ramp, (SIDE_PIXELS, 1))[..., None], 3, axis=2).astype(np.uint8)
    for _ in range(5):
        centre, axes = (draw.randrange(SIDE_PIXELS) for _ in range(2)), (draw.randrange(3, 30), 9)
        colour = [draw.randrange(256) for _ in range(3)]
        cv2.ellipse(pixels, tuple(centre), axes, draw.randrange(180), 0, 360, colour, -1)
    return bytes(cv2.imencode(".jpg", pixels)[1])


def watched(command: Sequence[str]) -> Ended:
    """Run the tool and look at the memory of its processes. Raises CalledProcessError."""
    began, peaks = time.monotonic(), defaultdict[str, int](int)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/contract:{ROOT}/engine"}
    with subprocess.Popen(
        [sys.executable, "-m", "imagemill", *command], cwd=ROOT, env=environment
    ) as process:
        while process.poll() is None:
            for name, mib in memory_below(process.pid):
                peaks[name] = max(peaks[name], mib)
            time.sleep(POLL_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Ended(time.monotonic() - began, dict(peaks))


def memory_below(root: int) -> list[tuple[str, int]]:
    """Name and peak MiB of a process and all that it has started, as the kernel counts it."""
    parents, found = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "status").read_text()
            command = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (path / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        parents[int(path.name)] = int(re.findall(r"PPid:\s+(\d+)", status)[0])
        found[int(path.name)] = (name_of(command, environment), int(peak[1]) // 1024 if peak else 0)
    return [found[pid] for pid in found if is_below(pid, root, parents)]


def name_of(command: Sequence[str], environment: str) -> str:
    function = re.search(r"AWS_LAMBDA_FUNCTION_NAME=\w*?-?([A-Za-z]+)Function", environment)
    if function:
        return function[1]
    words = " ".join(command)
    for name in ("imagemill_worker.lanes", "imagemill_worker", "imagemill_engine", "imagemill"):
        if name in words:
            return name
    return Path(command[0]).name


def is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != root:
        pid = parents[pid]
    return pid == root


def newest_report(out: Path) -> dict[str, Any]:
    reports = sorted(out.glob("runs/*/report.json"), key=lambda path: path.stat().st_mtime)
    report: dict[str, Any] = json.loads(reports[-1].read_text())
    return report


def check(report: dict[str, Any], expected: int) -> None:
    """Raises AssertionError unless every picture has both results."""
    for counts in report["stages"].values():
        assert counts["planned"] == counts["written"] == expected, (expected, report["stages"])


def show(what: str, ended: Ended) -> None:
    print(f"{what}: {ended.seconds:.0f} s", flush=True)
    for name, mib in sorted(ended.peaks.items(), key=lambda item: -item[1]):
        print(f"    {mib:6} MiB  {name}", flush=True)


def soak(base: Path, count: int, output: str) -> None:
    photos, out = base / "photos", base / f"out-{output}"
    paths = sorted(photos.rglob("*.jpg")) or make_pictures(photos, count)
    options = ["run", str(photos), str(out), "--size", "48", "--output", output]
    show(f"{len(paths):,} pictures, {output}", watched(options))
    report = newest_report(out)
    check(report, len(paths))
    print(f"    slices: {len(report['slices'])}, shards: {report['shards']}", flush=True)
    for number, path in enumerate(paths[:: len(paths) // CHANGES][:CHANGES]):
        path.write_bytes(picture(DISTINCT + number))
        path.with_name(f"{path.stem}-{output}-new.jpg").write_bytes(picture(number))
    show("1,000 changed and 1,000 new ones", watched(options))
    check(newest_report(out), 2 * CHANGES)
    if output != "files":
        show("verify", watched(["verify", str(out)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300_000)
    parser.add_argument("--output", nargs="*", default=["files", "webdataset"])
    parser.add_argument("--folder", type=Path, required=True, help="on a disk with room")
    options = parser.parse_args()
    for output in options.output:
        soak(options.folder, options.pictures, output)
        shutil.rmtree(options.folder / f"out-{output}")


if __name__ == "__main__":
    main()
