"""Is a whole run quicker than the script that people would write instead? Wall and CPU seconds.

    python -m benchmarks.end_to_end [--short]

Copies of unmodified photographs, in the page cache, go through every way in alternating rounds.
`one loop` is the bare work in one process, on one core: its CPU seconds are what a run cannot do
without.

Results are removed at the very end: where thousands of files have been removed in the last minutes,
ext4 takes up to half a millisecond to make one, which would be charged to whoever comes next.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from benchmarks.bars import say
from benchmarks.end_to_end import photos
from benchmarks.end_to_end.stopwatch import Spent, adopt_orphans, spent
from benchmarks.end_to_end.ways import FILES, LOOP, PACKED, POOL, RIVAL, WAYS, Way, environment

FEW = 50
WALL, CPU = attrgetter("wall"), attrgetter("cpu")


def measured(way: Way, folder: Path, out: Path) -> Spent:
    count = len(list(folder.glob("*.jpg")))
    env = {**environment(), **way.variables}
    found = spent(way.command(folder, out), env, orphans=True)
    if way.written is not None:
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


def show(found: Mapping[str, Sequence[Spent]], count: int) -> None:
    print("| way | wall s | of the Pillow pool | CPU s per 1,000 | of one loop |")
    print("|---|---|---|---|---|")
    for name, values in found.items():
        wall = statistics.median(one.wall for one in values)
        cpu = 1000 * statistics.median(one.cpu for one in values) / count
        shares = ratio(values, found[POOL], WALL), ratio(values, found[LOOP], CPU)
        print(f"| {name} | {wall:.1f} | {shares[0]:.2f} | {cpu:.2f} | {shares[1]:.2f} |")


def ratio(
    mine: Sequence[Spent], theirs: Sequence[Spent], seconds: Callable[[Spent], float]
) -> float:
    """The median of the ratios, round by round."""
    pairs = zip(mine, theirs, strict=False)  # slow ways have had fewer rounds
    return statistics.median(seconds(one) / seconds(other) for one, other in pairs)


def many(count: int, rounds: int, *, with_slow: bool) -> None:
    folder = photos.folder_of(count)
    print(f"{count:,} photographs, {photos.total_bytes(folder) / 1e9:.2f} GB, {rounds} rounds\n")
    ways = [way for way in WAYS if with_slow or not way.is_slow]
    with tempfile.TemporaryDirectory(dir=photos.BUILD) as base:
        found = rounds_of(ways, folder, Path(base), rounds)
    show(found, count)
    print()
    for name in (FILES, PACKED):
        share = ratio(found[name], found[POOL], WALL)
        say(f"{name}: wall of the Pillow pool's", share, at_most=0.85)
        if with_slow:
            share = ratio(found[name], found[RIVAL], WALL)
            say(f"{name}: wall of img2dataset's", share, at_most=0.35)
        say(f"{name}: CPU of one loop's", ratio(found[name], found[LOOP], CPU), at_most=1.15)


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
