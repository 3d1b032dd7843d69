"""What `--shuffle` does to shards and to planning: class entropy, and seconds for a million keys.

Run: python -m benchmarks.shuffled_shards [OBJECTS]
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Sequence

from imagemill_app.plan.sharding import balanced_shards, in_cutting_order
from imagemill_contract.documents import SourceObject
from imagemill_contract.recipe import Output, Recipe

CLASSES, ROUNDS = 100, 3
PICTURE_BYTES = 110_000  # as in ImageNet


def entropy_bits(shard: Sequence[SourceObject]) -> float:
    """Of the classes in a shard."""
    counts = Counter(item.key.split("/")[1] for item in shard)
    return -sum(n / len(shard) * math.log2(n / len(shard)) for n in counts.values())


def planned(objects: Sequence[SourceObject], recipe: Recipe) -> list[Sequence[SourceObject]]:
    ordered = in_cutting_order(objects, "full/", recipe)
    return balanced_shards(ordered, 256, min_shard_seconds=30)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    objects = [
        SourceObject(f"full/n{number * CLASSES // count:05}/{number:08}.jpg", "e", PICTURE_BYTES)
        for number in range(count)
    ]
    recipes = {
        "key order": Recipe(output=Output.WEBDATASET),
        "shuffled": Recipe(output=Output.WEBDATASET, shuffle=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in recipes}
    entropies: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, recipe in recipes.items():
            began = time.process_time()
            shards = planned(objects, recipe)
            seconds[name].append(time.process_time() - began)
            entropies[name] = [entropy_bits(shard) for shard in shards]
    print(f"{count:,} objects of {CLASSES} classes: at most {math.log2(CLASSES):.2f} bits")
    for name, found in entropies.items():
        print(
            f"{name}: {len(found)} shards, entropy {min(found):.2f} to {max(found):.2f} bits, "
            f"{min(seconds[name]):.2f} CPU s to order and cut"
        )


if __name__ == "__main__":
    main()
