"""The edge stage on one core: images a second, and where the time goes.

Input is what the resize stage writes: pictures of 128 x 128, JPEG q95.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import cv2

from benchmarks.photographs import photographs
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import EdgeMethod, Recipe
from imagemill_worker.picture.edges import edge_map, edges_of, encoded_edges, read_picture
from imagemill_worker.picture.stages import product_of

PASSES = 400


def microseconds(work: Callable[[int], object], count: int) -> float:
    for index in range(count):
        work(index)
    began = time.perf_counter()
    for _ in range(PASSES // 4):
        for index in range(count):
            work(index)
    return 1e6 * (time.perf_counter() - began) / (PASSES // 4 * count)


def main() -> None:
    os.sched_setaffinity(0, {0})
    cv2.setNumThreads(1)
    bodies = [product_of(Stage.RESIZE, photo.read(), Recipe()).body for photo in photographs()]
    count = len(bodies)
    print("| method | decode us | edges us | PNG us | whole us | images/s | PNG bytes |")
    print("|---|---|---|---|---|---|---|")
    for method in EdgeMethod:
        recipe = Recipe(edge=method)
        images = [read_picture(body, method) for body in bodies]
        decode = microseconds(lambda i, m=method: read_picture(bodies[i], m), count)
        maps = [edge_map(body, recipe) for body in bodies]
        find = microseconds(lambda i, m=method, images=images: edges_of(images[i], m), count)
        encode = microseconds(lambda i, maps=maps: encoded_edges(maps[i]), count)
        whole = microseconds(lambda i, r=recipe: product_of(Stage.EDGE, bodies[i], r), count)
        size = sum(len(encoded_edges(edges)) for edges in maps) // count
        row = (decode, find, encode, whole, 1e6 / whole, size)
        print(f"| {method} | " + " | ".join(f"{value:.0f}" for value in row) + " |")


if __name__ == "__main__":
    main()
