"""Is a whole run quicker than the script that people would write instead? Wall and CPU seconds.

    python -m benchmarks.end_to_end [--short]

Copies of unmodified photographs, in the page cache, go through every way in alternating rounds.
`one loop` is the bare work in one process: its CPU seconds are what a run cannot do without.
`two loops` are two at once: they show whether processors that share a core take more of them.

Results are removed at the very end: where thousands of files have just been removed, ext4 takes up
to half a millisecond to make one, which would be charged to whoever comes next.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bars import say
from benchmarks.end_to_end import photos
from benchmarks.end_to_end.stopwatch import Spent, adopt_orphans, spent
from benchmarks.end_to_end.ways import SCRIPTS, WAYS, Way, environment
from benchmarks.photographs import ROOT
from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

FEW = 50
POOL, FILES, PACKED, _, IMG2DATASET = (way.name for way in WAYS)


def measured(way: Way, folder: Path, out: Path) -> Spent:
    count = len(list(folder.glob("*.jpg")))
    found = spent(way.command(folder, out), environment(), orphans=True)
    assert way.written(out) == count, f"{way.name}: {way.written(out)} of {count}"
    return found


def rounds_of(ways: Sequence[Way], folder: Path, base: Path, rounds: int) -> dict[str, list[Spent]]:
    found: dict[str, list[Spent]] = {way.name: [] for way in ways}
    for number in range(rounds):
        now = [way for way in ways if number == 0 or not way.is_slow]
        for way in now if number % 2 else reversed(now):
            out = base / f"{number}-{way.name.replace(' ', '-')}" / "out"
            out.parent.mkdir()
            found[way.name].append(measured(way, folder, out))
            print(f"  {way.name}: {found[way.name][-1].wall:.1f} s", file=sys.stderr, flush=True)
    return found


def loop_cpu_seconds(folder: Path, loops: int) -> float:
    """CPU seconds of the bare loop for 1,000 of these photographs, of so many loops at once."""
    env = {**environment(), **LANE_ENVIRONMENT}
    env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{ROOT / 'batch_worker'}"
    script = [sys.executable, str(SCRIPTS / "one_loop.py"), str(folder)]
    at_once = " & ".join([shlex.join(script)] * loops) + " & wait"
    seconds = spent(["sh", "-c", at_once], env).cpu
    return 1000 * seconds / (loops * len(list(folder.glob("*.jpg"))))


def show(found: dict[str, list[Spent]], count: int, loop: float, two: float) -> None:
    print("| way | wall s | of the Pillow pool | CPU s per 1,000 | of one loop |")
    print("|---|---|---|---|---|")
    print(f"| one loop | | | {loop:.2f} | 1.00 |")
    print(f"| two loops | | | {two:.2f} | {two / loop:.2f} |")
    for name, values in found.items():
        cpu = 1000 * statistics.median(one.cpu for one in values) / count
        wall = statistics.median(one.wall for one in values)
        shares = ratio(values, found[POOL])
        print(f"| {name} | {wall:.1f} | {shares:.2f} | {cpu:.2f} | {cpu / loop:.2f} |")


def ratio(mine: Sequence[Spent], theirs: Sequence[Spent]) -> float:
    """The median of the ratios of wall seconds, round by round."""
    pairs = zip(mine, theirs, strict=False)  # slow ways have had fewer rounds
    return statistics.median(one.wall / other.wall for one, other in pairs)


def many(count: int, rounds: int, *, with_slow: bool) -> None:
    folder = photos.folder_of(count)
    print(f"{count:,} photographs, {photos.total_bytes(folder) / 1e9:.2f} GB, {rounds} rounds\n")
    ways = [way for way in WAYS if with_slow or not way.is_slow]
    with tempfile.TemporaryDirectory(dir=photos.BUILD) as base:
        loop, two = loop_cpu_seconds(folder, 1), loop_cpu_seconds(folder, 2)
        found = rounds_of(ways, folder, Path(base), rounds)
    show(found, count, loop, two)
    print()
    for name in (FILES, PACKED):
        say(f"{name}: wall of the Pillow pool's", ratio(found[name], found[POOL]), at_most=0.85)
        if with_slow:
            share = ratio(found[name], found[IMG2DATASET])
            say(f"{name}: wall of img2dataset's", share, at_most=0.35)
        cpu = 1000 * statistics.median(one.cpu for one in found[name]) / count
        say(f"{name}: CPU of one loop's", cpu / loop, at_most=1.15)
        print(f"{name}: CPU of two loops' at once: {cpu / two:.3f}")


def few(rounds: int) -> None:
    """Runs in which starting and ending are most of the time."""
    folder = photos.folder_of(FEW)
    program = str(Path(sys.executable).with_name("imagemill"))
    seconds: dict[str, list[float]] = {"help": [], "nothing to do": [], FILES: [], PACKED: []}
    for _ in range(rounds):
        seconds["help"].append(spent([program, "--help"], environment()).wall)
        for way in (way for way in WAYS if way.name in (FILES, PACKED)):
            with tempfile.TemporaryDirectory(dir=photos.BUILD) as base:
                command = way.command(folder, Path(base, "out"))
                seconds[way.name].append(spent(command, environment(), orphans=True).wall)
                if way.name == FILES:
                    seconds["nothing to do"].append(
                        spent(command, environment(), orphans=True).wall
                    )
    limits = {"help": 0.25, "nothing to do": 2.0, FILES: 3.0, PACKED: 3.0}
    for name, values in seconds.items():
        what = name if name in ("help", "nothing to do") else f"{name}, {FEW} photographs"
        say(f"{what}: seconds", statistics.median(values), at_most=limits[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--few-rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="one round, without the slow rivals")
    options = parser.parse_args()
    adopt_orphans()
    print(f"{time.strftime('%Y-%m-%d')}, {len(photos.originals())} different photographs\n")
    rounds = 1 if options.short else options.rounds
    many(options.photographs, rounds, with_slow=not options.short)
    few(3 if options.short else options.few_rounds)


if __name__ == "__main__":
    main()
