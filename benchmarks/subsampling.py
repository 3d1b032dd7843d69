"""How fast is the way of a JPEG, by the subsampling of its colours? On one core, against others.

Photographs of cameras are taken as they are; and those of each set are re-encoded, six in each
class. Every contender runs in a fresh process for each round, pinned to one core; rounds go A B C.
Seconds are those of the CPU. `floor` is libjpeg-turbo decoding at 1/8 and nothing else, `OpenCV`
decodes at full size, and `Pillow` decodes at twice the result's size or more (its draft mode).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import simplejpeg
from PIL import Image

from benchmarks.bars import say
from benchmarks.decode_resize import HERE, milliseconds
from benchmarks.photographs import (
    CLASSES,
    ROOT,
    as_file,
    originals,
    resized_to_fit,
    sets,
    unmodified,
)
from imagemill_worker.codecs.jpeg_header import read_jpeg_header

CONTENDERS = ("floor", "imagemill", "pillow", "naive")
RE_ENCODED_AS: dict[str, dict[str, object]] = {
    "4:2:0": {"subsampling": "4:2:0"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:4:4": {"subsampling": "4:4:4"},
    "grey": {},
    "progressive": {"progressive": True, "subsampling": "4:2:0"},
}
IN_EACH_CLASS = 6
LEAST_OF_OPENCV, LEAST_OF_PILLOW = 3.5, 0.97

Times = dict[str, list[list[float]]]  # of each contender and round, for each file
Classes = dict[str, list[Path]]


def unmodified_classes() -> Classes:
    """The files of cameras by their subsampling; progressive ones are a class of their own."""
    found = defaultdict(list)
    for path in unmodified():
        found[subsampling(path.read_bytes())].append(path)
    return dict(sorted(found.items()))


def subsampling(body: bytes) -> str:
    if read_jpeg_header(body).is_progressive:
        return "progressive"
    name = simplejpeg.decode_jpeg_header(body)[3]
    return "grey" if name == "Gray" else ":".join(name)


def re_encoded_classes(set_name: str) -> Classes:
    """Photographs of 2 and 4 megapixels by turns, made at the first call."""
    folder = ROOT / "build" / "subsampling" / set_name
    if not (folder / "done").exists():
        _make(folder)
    return {name: sorted((folder / name).glob("*.jpg")) for name in RE_ENCODED_AS}


def _make(folder: Path) -> None:
    sources = originals(folder.name)[-IN_EACH_CLASS:]
    sizes = [CLASSES[name] for name in ("2mp", "4mp")]
    for name, options in RE_ENCODED_AS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, source in enumerate(sources):
            width, height, _, quality = sizes[number % 2]
            image = resized_to_fit(source, width, height)
            image = image.convert("L") if name == "grey" else image
            file = as_file(image, "JPEG", quality=quality, **options)
            (folder / name / f"{number:02}.jpg").write_bytes(file)
    (folder / "done").touch()


def all_classes() -> Classes:
    found = {f"{name}, unmodified": paths for name, paths in unmodified_classes().items()}
    for set_name in sets():
        made = re_encoded_classes(set_name)
        found |= {f"{name}, {set_name}": paths for name, paths in made.items()}
    return found


def measured(paths: Sequence[Path], rounds: int, passes: int) -> Times:
    times: Times = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in CONTENDERS:
            command = [sys.executable, "-P", str(HERE / "rivals.py"), name]
            times[name].append(milliseconds(name, command, list(map(str, paths)), passes))
    return times


def ratio(times: Times, over: str, under: str, places: Sequence[int]) -> float:
    """How many times the milliseconds of one contender are those of another: median of rounds."""
    pairs = zip(times[over], times[under], strict=True)
    return statistics.median(
        sum(a[place] for place in places) / sum(b[place] for place in places) for a, b in pairs
    )


def show(times: Times, classes: Mapping[str, Sequence[int]], megapixels: Sequence[float]) -> None:
    """Print a row for each class, whose files are at these places, and the bars."""
    print("| class | files | MP | ms | x OpenCV | floor x OpenCV | of the floor | x Pillow |")
    print("|---" * 8 + "|")
    for name, places in classes.items():
        own = statistics.median(
            statistics.mean(one[place] for place in places) for one in times["imagemill"]
        )
        pairs = (("naive", "imagemill"), ("naive", "floor"), ("floor", "imagemill"))
        ratios = [ratio(times, *pair, places) for pair in (*pairs, ("pillow", "imagemill"))]
        size = statistics.mean(megapixels[place] for place in places)
        cells = [f"{value:.2f}" for value in (own, *ratios)]
        print(f"| {name} | {len(places)} | {size:.1f} | {' | '.join(cells)} |")
    print()
    for name, places in classes.items():
        if ratio(times, "naive", "floor", places) >= LEAST_OF_OPENCV:
            found = ratio(times, "naive", "imagemill", places)
            say(f"{name}: times OpenCV", found, at_least=LEAST_OF_OPENCV)
        found = ratio(times, "pillow", "imagemill", places)
        say(f"{name}: times Pillow's draft", found, at_least=LEAST_OF_PILLOW)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=2)
    options = parser.parse_args()
    paths: list[Path] = []
    classes: dict[str, range] = {}
    for name, files in all_classes().items():
        classes[name] = range(len(paths), len(paths) + len(files))
        paths += files
    megapixels = []
    for path in paths:
        with Image.open(path) as image:
            megapixels.append(image.width * image.height / 1e6)
    times = measured(paths, options.rounds, options.passes)
    print(f"{len(paths)} files, {options.rounds} rounds; ms of CPU\n")
    show(times, classes, megapixels)


if __name__ == "__main__":
    main()
