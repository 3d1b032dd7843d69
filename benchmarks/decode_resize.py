"""Decode, resize to 128 (centre crop), encode as JPEG q95, on one core, against other tools.

Every contender runs in a fresh process for each round, as it ships, pinned to one core; rounds go
A B C A B C. `floor` is libjpeg-turbo decoding at 1/8 and nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from PIL import Image

from benchmarks.environments import IMG2DATASET, RIVALS, python_of, sharp_folder
from benchmarks.photographs import ROOT, mean_bytes, photographs

ROUNDS, PASSES = 5, 4
SLOWER = ("sharp", "naive", "img2dataset")
HERE = Path(__file__).parent


def commands() -> dict[str, list[str]]:
    rivals = str(HERE / "rivals.py")
    node = ["node", str(HERE / "sharp.mjs"), str(sharp_folder())]
    return {
        "floor": [sys.executable, "-P", rivals, "floor"],
        "imagemill": [sys.executable, "-P", rivals, "imagemill"],
        "sharp": node,
        "pillow": [python_of(RIVALS), "-P", rivals, "pillow"],
        "pyvips": [python_of(RIVALS), "-P", rivals, "pyvips"],
        "naive": [sys.executable, "-P", rivals, "naive"],
        "img2dataset": [python_of(IMG2DATASET), "-P", rivals, "img2dataset"],
    }


def environment_of(name: str) -> dict[str, str]:
    """The environment of a contender: the worker gets the settings of its lanes, others nothing."""
    env = {**os.environ, "PYTHONWARNINGS": "ignore", "NO_ALBUMENTATIONS_UPDATE": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
    if name == "imagemill":
        from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

        env |= LANE_ENVIRONMENT
    return env


def milliseconds(
    name: str, command: list[str], paths: list[str], passes: int = PASSES
) -> list[float]:
    """Milliseconds of CPU for each image, in a fresh process on core 0."""
    done = subprocess.run(
        [*command, str(passes), *paths],
        env=environment_of(name),
        preexec_fn=lambda: os.sched_setaffinity(0, {0}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [1000 * float(line) / passes for line in done.stdout.split()]


def print_all(times: dict[str, list[list[float]]]) -> None:
    print("| method | ms an image | images/s | imagemill is faster by |\n|---|---|---|---|")
    for name, rounds in times.items():
        totals = zip(map(sum, rounds), map(sum, times["imagemill"]), strict=True)
        ratio = statistics.median(other / ours for other, ours in totals)
        median = statistics.median(map(statistics.mean, rounds))
        print(f"| {name} | {median:.2f} | {1000 / median:.1f} | {ratio:.2f} |")


def print_by_detail(times: dict[str, list[list[float]]], paths: list[str]) -> None:
    """Print the same ratios for each third of the pictures, by bits per pixel."""
    detail = {number: bits_a_pixel(path) for number, path in enumerate(paths)}
    order = sorted(detail, key=lambda number: detail[number])
    print("\n| bits a pixel | floor | " + " | ".join(SLOWER) + " |")
    print("|---" * (2 + len(SLOWER)) + "|")
    for third in range(3):
        numbers = order[third * len(order) // 3 : (third + 1) * len(order) // 3]
        cells = [f"{detail[numbers[0]]:.1f} to {detail[numbers[-1]]:.1f}"]
        for name in ("floor", *SLOWER):
            ratios = (
                sum(other[n] for n in numbers) / sum(ours[n] for n in numbers)
                for other, ours in zip(times[name], times["imagemill"], strict=True)
            )
            cells.append(f"{statistics.median(ratios):.2f}")
        print("| " + " | ".join(cells) + " |")


def bits_a_pixel(path: str) -> float:
    with Image.open(path) as image:
        return 8 * Path(path).stat().st_size / (image.width * image.height)


def main() -> None:
    paths = [str(photo.path) for photo in photographs()]
    contenders = commands()
    times: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, command in contenders.items():
            times[name].append(milliseconds(name, command, paths))
    print(f"{len(paths)} photographs of {mean_bytes() / 1000:.0f} KB on average, {ROUNDS} rounds\n")
    print_all(times)
    print_by_detail(times, paths)


if __name__ == "__main__":
    main()
