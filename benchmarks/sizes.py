"""What several sizes of each picture cost at once, and alone; and whether they keep the detail.

Run: python -m benchmarks.sizes

On one core: resize and edge stage for photographs, without any store. Rounds go through all, and
the least counts. Detail is the SSIM of the brightness of each file against the full decode,
resampled in floating point by area and by Lanczos, the less of both.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from benchmarks.photographs import mean_bytes, photographs
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Recipe
from imagemill_worker.stages.picture_stage import Picture, Product
from imagemill_worker.stages.picture_stages import products_of

SIZES = (64, 128, 512)
ROUNDS = 3
FILTERS = (Image.Resampling.BOX, Image.Resampling.LANCZOS)


def made(body: bytes, recipe: Recipe) -> tuple[list[Product], list[Product]]:
    """Resized pictures and edge maps of a file, the largest first."""
    recipes = recipe.in_sizes()
    small = products_of(Stage.RESIZE, [Picture(body)], recipes)
    return small, products_of(Stage.EDGE, [Picture(one.body) for one in small], recipes)


def milliseconds(bodies: Sequence[bytes], recipes: Sequence[Recipe]) -> list[float]:
    """CPU for a photograph, by each of the recipes."""
    least = [float("inf")] * len(recipes)
    for _ in range(ROUNDS):
        for place, recipe in enumerate(recipes):
            began = time.process_time()
            for body in bodies:
                made(body, recipe)
            taken = 1000 * (time.process_time() - began) / len(bodies)
            least[place] = min(least[place], taken)
    return least


def brightness(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(float) @ (0.299, 0.587, 0.114)


def references(body: bytes, size: int) -> list[np.ndarray]:
    full = Image.open(io.BytesIO(body)).convert("RGB")
    side = min(full.size)
    left, top = (full.width - side) / 2, (full.height - side) / 2
    box = (left, top, left + side, top + side)
    bands = [band.convert("F") for band in full.split()]
    return [
        brightness(np.dstack([np.asarray(band.resize((size, size), it, box)) for band in bands]))
        for it in FILTERS
    ]


def similarity(file: bytes, wanted: Sequence[np.ndarray]) -> float:
    ours = brightness(np.asarray(Image.open(io.BytesIO(file)).convert("RGB")))
    return min(float(structural_similarity(ours, one, data_range=255)) for one in wanted)


def print_detail(bodies: Sequence[bytes]) -> None:
    print("\n| size | SSIM alone | SSIM at once | least alone | at once | bytes alone | at once |")
    print("|---|---|---|---|---|---|---|")
    recipe = Recipe.from_document({"sizes": [*SIZES]})
    together = [made(body, recipe)[0] for body in bodies]
    for place, size in enumerate(sorted(SIZES, reverse=True)):
        alone = [made(body, Recipe(size=size))[0][0].body for body in bodies]
        once = [products[place].body for products in together]
        wanted = [references(body, size) for body in bodies]
        found = [list(map(similarity, files, wanted)) for files in (alone, once)]
        means = " | ".join(f"{statistics.mean(values):.4f}" for values in found)
        least = " | ".join(f"{min(values):.4f}" for values in found)
        lengths = " | ".join(f"{sum(map(len, files)) // len(files):,}" for files in (alone, once))
        print(f"| {size} | {means} | {least} | {lengths} |")


def main() -> None:
    os.sched_setaffinity(0, {0})
    cv2.setNumThreads(1)
    bodies = [photo.read() for photo in photographs()]
    print(f"Photographs of {mean_bytes() / 1000:.0f} KB; {ROUNDS} rounds\n")
    together = Recipe.from_document({"sizes": [*SIZES]})
    recipes = [*(Recipe(size=size) for size in SIZES), together]
    *alone, once = milliseconds(bodies, recipes)
    print("| sizes | ms of CPU |\n|---|---|")
    for size, taken in zip(SIZES, alone, strict=True):
        print(f"| {size} alone | {taken:.2f} |")
    print(f"| {', '.join(map(str, SIZES))} at once | {once:.2f} |")
    print(f"\nat once / one after the other: {once / sum(alone):.2f}")
    print_detail(bodies)


if __name__ == "__main__":
    main()
