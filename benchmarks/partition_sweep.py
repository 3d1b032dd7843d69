"""The experiment of 2017 again: how many jobs should a run be cut into?

In 2017, 65,536 and 4,096 jobs were hopeless, and 256 jobs, found by hand, were right. Here the same
pictures are processed on the embedded engine in fewer and fewer jobs, and in the planner's choice.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from PIL import Image

from imagemill.execution import follow, start_run
from imagemill.local_stack import LocalStack, local_stack
from imagemill_contract.locations import Location

ROOT = Path(__file__).resolve().parents[1]
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg")
SIDE_PIXELS = 2400
CHEAP_JOBS = 32  # so few jobs are measured in every round, more only in the first


@dataclass(frozen=True)
class Row:
    name: str
    jobs: int
    seconds: float


def make_pictures(folder: Path, count: int) -> None:
    """Make `count` links to a few photographs, enlarged to the size of a camera's."""
    bodies = []
    for name in PHOTOGRAPHS:
        with (files("skimage") / "data" / name).open("rb") as file, Image.open(file) as image:
            picture = image.convert("RGB")
        factor = SIDE_PIXELS / max(picture.size)
        path = folder.parent / f"{name}.jpg"
        picture.resize([round(side * factor) for side in picture.size]).save(path, quality=92)
        bodies.append(path)
    folder.mkdir()
    for number in range(count):
        os.link(bodies[number % len(bodies)], folder / f"{number * 2654435761 % 2**32:08x}.jpg")


def run_once(stack: LocalStack, photos: Path, out: Path, shards: int | None) -> tuple[int, float]:
    """The number of shards of one run, and its seconds from start to end."""
    document: dict[str, object] = {
        "source": str(Location.of_folder(PurePosixPath(photos))),
        "output": str(Location.of_folder(PurePosixPath(out))),
        "full": True,
    }
    if shards:
        document["shards"] = shards
    states = stack.client("stepfunctions")
    began = time.monotonic()
    execution = start_run(states, stack.state_machine_arn, document)
    follow(execution, lambda: time.sleep(0.02))
    seconds = time.monotonic() - began
    counts = execution.result()["stages"]["edge"]
    assert counts["written"] == counts["planned"], counts
    return len(list((out / "runs" / execution.run_id / "shards").iterdir())), seconds


def sweep(count: int, rounds: int) -> list[Row]:
    """Measure every way of cutting, in alternating rounds."""
    with tempfile.TemporaryDirectory() as name, local_stack() as stack:
        photos, out = Path(name) / "photos", Path(name) / "out"
        make_pictures(photos, count)
        run_once(stack, photos, out, stack.engine.vcpus)  # warm: files cached, functions started
        ways = {
            "one job for each picture": count,
            "one job for 4 pictures": count // 4,
            "16 jobs": 16,
            "one job for each core": stack.engine.vcpus,
            "the planner's choice": None,
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        jobs: dict[str, int] = {}
        for round_number in range(rounds):
            for way, shards in ways.items():
                if round_number and shards and shards > CHEAP_JOBS:
                    continue
                jobs[way], taken = run_once(stack, photos, out, shards)
                seconds[way].append(taken)
    return [Row(way, jobs[way], statistics.median(seconds[way])) for way in ways]


def markdown(rows: list[Row], count: int) -> str:
    best = min(row.seconds for row in rows)
    lines = [
        f"{count} pictures, {os.cpu_count()} cores; jobs are those of each of the two stages\n",
        "| cut into | jobs | seconds | images/s | over the best |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        over = row.seconds / best - 1
        rate = count / row.seconds
        lines.append(f"| {row.name} | {row.jobs} | {row.seconds:.1f} | {rate:.0f} | {over:+.0%} |")
    return "\n".join(lines)


def svg(rows: list[Row]) -> str:
    """A bar chart of the seconds, for the documentation."""
    longest = max(row.seconds for row in rows)
    bars = []
    for number, row in enumerate(rows):
        top, width = 20 + number * 34, max(2, 380 * row.seconds / longest)
        colour = "#2a7" if row.name.startswith("the planner") else "#789"
        bars.append(
            f'<text x="190" y="{top + 15}" text-anchor="end">{row.name}</text>'
            f'<rect x="200" y="{top}" width="{width:.0f}" height="20" fill="{colour}"/>'
            f'<text x="{206 + width:.0f}" y="{top + 15}">{row.seconds:.1f} s</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="660" height="{30 + 34 * len(rows)}" '
        'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        + "".join(bars)
        + "</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--svg", type=Path, default=ROOT / "docs" / "partition-sweep.svg")
    options = parser.parse_args()
    rows = sweep(options.pictures, options.rounds)
    print(markdown(rows, options.pictures))
    options.svg.write_text(svg(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
