"""How much quicker than the Pillow pool can a run be? The arithmetic, from what both consist of.

    python -m benchmarks.end_to_end.floor

CPU milliseconds of a photograph, by turns in one process: the scaled decode alone, the worker's own
functions, and what a process of the pool does, each without files. Then the seconds of a run of one
photograph, which is nothing but start and end.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.end_to_end import photos
from benchmarks.end_to_end.stopwatch import Spent, adopt_orphans, spent
from benchmarks.end_to_end.ways import FILES, WAYS, environment
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Recipe
from imagemill_worker.codecs.decode_jpeg import decode_jpeg
from imagemill_worker.codecs.jpeg_header import read_jpeg_header
from imagemill_worker.picture.size_limits import checked_placement
from imagemill_worker.stages.picture_stages import import_libraries, product_of

PASSES, ROUNDS, PHOTOGRAPHS, CORES = 5, 5, 3000, 2
DECODE, WORKER, POOL = "scaled decode alone", "the worker's functions", "the pool's function"
RECIPE = Recipe()
LEAST_SCALE = 1.55  # as in imagemill_worker.picture.resize


def decoded(body: bytes) -> None:
    """What libjpeg-turbo gives for the recipe's size."""
    header = read_jpeg_header(body)
    target = checked_placement(header.width, header.height, header.orientation, RECIPE)
    decode_jpeg(body, header, LEAST_SCALE / target.shrinkage)


def by_worker(body: bytes) -> None:
    small = product_of(Stage.RESIZE, body, RECIPE).body
    product_of(Stage.EDGE, small, RECIPE)


def by_pool(body: bytes) -> None:
    """As scripts/pillow_pool.py."""
    image = Image.open(io.BytesIO(body))
    image.draft("RGB", (256, 256))
    small = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (128, 128))
    small.save(io.BytesIO(), "JPEG", quality=95, subsampling=0)
    cv2.imencode(".png", cv2.Canny(np.asarray(small.convert("L")), 100, 200))


def milliseconds(bodies: Sequence[bytes]) -> dict[str, float]:
    ways: Mapping[str, Callable[[bytes], None]] = {
        DECODE: decoded,
        WORKER: by_worker,
        POOL: by_pool,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(PASSES + 1):
        for name, way in ways.items():
            began = time.process_time()
            for body in bodies:
                way(body)
            if number:  # the first pass warms up
                found[name].append(1000 * (time.process_time() - began) / len(bodies))
    return {name: statistics.median(values) for name, values in found.items()}


def of_one_photograph() -> Spent:
    way = next(way for way in WAYS if way.name == FILES)
    folder = photos.folder_of(1)
    found = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=photos.BUILD) as base:
            command = way.command(folder, Path(base, "out"))
            found.append(spent(command, environment(), orphans=True))
    return Spent(
        statistics.median(one.wall for one in found), statistics.median(one.cpu for one in found)
    )


def main() -> None:
    adopt_orphans()
    cv2.setNumThreads(1)
    for stage in (Stage.RESIZE, Stage.EDGE):
        import_libraries(stage)
    bodies = [path.read_bytes() for path in photos.originals()]
    found, fixed = milliseconds(bodies), of_one_photograph()
    print(f"{time.strftime('%Y-%m-%d')}, {len(bodies)} photographs\n")
    print("| what | CPU ms | of the pool's |\n|---|---|---|")
    for name, value in found.items():
        print(f"| {name} | {value:.2f} | {value / found[POOL]:.2f} |")
    print(f"\nA run of one photograph takes {fixed.wall:.2f} s, and {fixed.cpu:.2f} s of CPU.")
    pool = PHOTOGRAPHS * found[POOL] / 1000 / CORES
    run = fixed.wall + PHOTOGRAPHS * found[WORKER] / 1000 / CORES
    print(f"{PHOTOGRAPHS:,} on {CORES} cores, files and starts of jobs apart:", end=" ")
    print(f"the pool {pool:.1f} s, a run {run:.1f} s, {run / pool:.2f} of it.")


if __name__ == "__main__":
    main()
