"""What a named interpolation, and each format, costs the resize stage for a photograph: CPU time.

Run: python -m benchmarks.interpolation

On one core, at size 128; formats at quality 95. Rounds go through all, and the least counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from benchmarks.photographs import mean_bytes, photographs
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import ImageFormat, Interpolation, Recipe
from imagemill_worker.stages.picture_stages import product_of

ROUNDS = 3


def measured(recipes: Mapping[str, Recipe]) -> dict[str, tuple[float, int]]:
    """Milliseconds of CPU for a photograph, and bytes of its result, by name."""
    bodies = [photo.read() for photo in photographs()]
    found: dict[str, tuple[float, int]] = {}
    for _ in range(ROUNDS):
        for name, recipe in recipes.items():
            began = time.process_time()
            made = sum(len(product_of(Stage.RESIZE, body, recipe).body) for body in bodies)
            taken = 1000 * (time.process_time() - began) / len(bodies)
            least, _ = found.get(name, (taken, 0))
            found[name] = min(taken, least), made // len(bodies)
    return found


def main() -> None:
    os.sched_setaffinity(0, {0})
    recipes = {str(name): Recipe(interpolation=name) for name in Interpolation}
    recipes |= {f"auto, {name}": Recipe(format=name) for name in ImageFormat}
    print(f"Photographs of {mean_bytes() / 1000:.0f} KB; {ROUNDS} rounds\n")
    print("| interpolation, format | ms | bytes of the result |\n|---|---|---|")
    for name, (taken, made) in measured(recipes).items():
        print(f"| {name} | {taken:.1f} | {made:,} |")


if __name__ == "__main__":
    main()
