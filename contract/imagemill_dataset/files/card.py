"""The card of a dataset: a document for programs that says what the dataset holds.

Nothing in it depends on when it was made: the same data from the same tool gives the same card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from imagemill_contract.recipe import Recipe
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.files.loaders import loaders_of
from imagemill_dataset.files.published_source import published_recipe, published_source
from imagemill_dataset.index import IndexedRun
from imagemill_dataset.shards import DatasetShard, PixelSums

VERSION = 1
_FIRST_SPLIT = "train"

Document = dict[str, Any]


def card_of(held: Holdings, last: IndexedRun, labels: Mapping[str, int]) -> Document:
    """The card of a dataset.

    `samples` counts only living samples. A listed shard may also hold `superseded` ones, which are
    part of its bytes and of its pixel sums. Shards with superseded samples only are not listed.
    `last` is the run whose recipe the dataset has; `labels` are the numbers of its classes.
    """
    recipe = Recipe.from_document(last.recipe)
    living, superseded = held.living, held.superseded_samples()
    listed = [held.shards[key] for key in sorted(living)]
    splits = {name: _of_split(listed, name) for name in sorted({shard.split for shard in listed})}
    card: Document = {
        "v": VERSION,
        "name": recipe.dataset_name,
        "format": str(recipe.output),
        "samples": living.total(),
        "bytes": sum(shard.bytes for shard in listed),
        "splits": {name: _counts(shards, living) for name, shards in splits.items()},
    }
    if labels:
        card["classes"] = _classes(held, labels)
    return card | {
        "shards": [_row(shard, superseded) for shard in listed],
        "superseded": {"samples": sum(superseded.values()), "shards": len(superseded)},
        "pixels": {
            **_pixels(listed),
            "splits": {name: _pixels(shards) for name, shards in splits.items()},
        },
        "recipe": published_recipe(recipe),
        "recipe_digest": recipe.digest,
        "tool": last.tool,
        "sources": sorted({published_source(source) for source in held.sums.sources}),
        "sha256": _digest(listed),
        "loaders": loaders_of(recipe, _shown_split(recipe, list(splits))),
    }


def _of_split(shards: Iterable[DatasetShard], name: str) -> list[DatasetShard]:
    return [shard for shard in shards if shard.split == name]


def _counts(shards: list[DatasetShard], living: Mapping[str, int]) -> Document:
    return {
        "samples": sum(living[shard.key] for shard in shards),
        "shards": len(shards),
        "bytes": sum(shard.bytes for shard in shards),
    }


def _row(shard: DatasetShard, superseded: Mapping[str, int]) -> Document:
    return {
        "key": shard.key,
        "split": shard.split,
        "samples": shard.samples,
        "bytes": shard.bytes,
        "sha256": shard.sha256,
        "superseded": superseded.get(shard.key, 0),
    }


def _classes(held: Holdings, labels: Mapping[str, int]) -> Document:
    samples: dict[int, dict[str, int]] = {}
    for (label, split), count in sorted(held.sums.classes.items()):
        samples.setdefault(label, {})[split] = count
    return {
        name: {"label": labels[name], "samples": samples.get(labels[name], {})}
        for name in sorted(labels, key=labels.__getitem__)
    }


def _pixels(shards: Iterable[DatasetShard]) -> Document:
    sums = PixelSums.total(shard.pixels for shard in shards)
    return {"mean": sums.mean, "std": sums.standard_deviation, "pixels": sums.pixels}


def _digest(shards: Iterable[DatasetShard]) -> str:
    lines = (f"{shard.key} {shard.sha256}\n" for shard in shards)
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _shown_split(recipe: Recipe, present: list[str]) -> str:
    names = present or [name for name, _ in recipe.split]
    return _FIRST_SPLIT if _FIRST_SPLIT in names else names[0]
