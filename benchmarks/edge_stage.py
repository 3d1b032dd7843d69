"""The edge stage on one core: images per second, and where the time goes.

The input is what the resize stage writes: pictures of 128 x 128, JPEG q95.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import cv2

from benchmarks.photographs import photographs
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import EdgeMethod, Recipe
from imagemill_worker.picture.edge_methods import edges_of
from imagemill_worker.picture.edges import edge_map, encoded_edges, read_picture
from imagemill_worker.picture.fingerprint import fingerprint
from imagemill_worker.stages.picture_stages import product_of

PASSES = 400
Item = TypeVar("Item")


def microseconds(work: Callable[[Item], object], items: Sequence[Item]) -> float:
    """What the work takes for one of the items."""
    for item in items:
        work(item)
    began = time.perf_counter()
    for _ in range(PASSES // 4):
        for item in items:
            work(item)
    return 1e6 * (time.perf_counter() - began) / (PASSES // 4 * len(items))


def main() -> None:
    os.sched_setaffinity(0, {0})
    cv2.setNumThreads(1)
    bodies = [product_of(Stage.RESIZE, photo.read(), Recipe()).body for photo in photographs()]
    greys = [read_picture(body, EdgeMethod.CANNY) for body in bodies]
    names = ("decode", "edges", "PNG", "fingerprint", "whole")
    print(f"| method | {' us | '.join(names)} us | images/s | PNG bytes |")
    print("|---|---|---|---|---|---|---|---|")
    for method in (EdgeMethod.CANNY, EdgeMethod.SOBEL, EdgeMethod.LINE_ART):
        recipe = Recipe(edge=method)
        images = [read_picture(body, method) for body in bodies]
        decode = microseconds(partial(read_picture, method=method), bodies)
        maps = [edge_map(body, recipe) for body in bodies]
        find = microseconds(partial(edges_of, recipe=recipe), images)
        encode = microseconds(encoded_edges, maps)
        mark = microseconds(fingerprint, greys)
        whole = microseconds(partial(product_of, Stage.EDGE, recipe=recipe), bodies)
        size = sum(len(encoded_edges(edges)) for edges in maps) // len(maps)
        row = (decode, find, encode, mark, whole, 1e6 / whole, size)
        print(f"| {method} | " + " | ".join(f"{value:.0f}" for value in row) + " |")


if __name__ == "__main__":
    main()
