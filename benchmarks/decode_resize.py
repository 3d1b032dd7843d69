"""Decode, resize to 128 (centre crop), encode as JPEG q95: one core, against what people use.

Every contender runs in a fresh process for each round, as it ships, pinned to one core; rounds go
A B C A B C. `floor` is libjpeg-turbo decoding at 1/8 and nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.environments import IMG2DATASET, RIVALS, python_of, sharp_folder
from benchmarks.photographs import ROOT, mean_bytes, photographs

ROUNDS, PASSES = 5, 4
HERE = Path(__file__).parent


def commands() -> dict[str, list[str]]:
    rivals = str(HERE / "rivals.py")
    node = ["node", str(HERE / "sharp.mjs"), str(sharp_folder())]
    return {
        "floor": [sys.executable, rivals, "floor"],
        "imagemill": [sys.executable, rivals, "imagemill"],
        "sharp": node,
        "pillow": [python_of(RIVALS), rivals, "pillow"],
        "pyvips": [python_of(RIVALS), rivals, "pyvips"],
        "naive": [sys.executable, rivals, "naive"],
        "img2dataset": [python_of(IMG2DATASET), rivals, "img2dataset"],
    }


def environment_of(name: str) -> dict[str, str]:
    """The worker starts its lanes with settings of their own; nothing else is helped."""
    env = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_ALBUMENTATIONS_UPDATE": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
    if name == "imagemill":
        from imagemill_worker.limits import LANE_ENVIRONMENT

        env |= LANE_ENVIRONMENT
    return env


def milliseconds(name: str, command: list[str], paths: list[str]) -> float:
    """For one image, in a fresh process on core 0."""
    done = subprocess.run(
        [*command, str(PASSES), *paths],
        env=environment_of(name),
        preexec_fn=lambda: os.sched_setaffinity(0, {0}),
        capture_output=True,
        text=True,
        check=True,
    )
    return 1000 * float(done.stdout) / (PASSES * len(paths))


def main() -> None:
    paths = [str(photo.path) for photo in photographs()]
    contenders = commands()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, command in contenders.items():
            times[name].append(milliseconds(name, command, paths))
    print(f"{len(paths)} photographs of {mean_bytes() / 1000:.0f} KB on average, {ROUNDS} rounds\n")
    print("| method | ms an image | images/s | imagemill is faster by |\n|---|---|---|---|")
    for name, mine in times.items():
        ratio = statistics.median(
            other / ours for other, ours in zip(mine, times["imagemill"], strict=True)
        )
        median = statistics.median(mine)
        print(f"| {name} | {median:.2f} | {1000 / median:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
