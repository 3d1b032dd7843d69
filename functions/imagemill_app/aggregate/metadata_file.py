"""`resized/metadata.jsonl`: the columns of pictures that are files, as an imagefolder has them.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from imagemill_app.stores import StoreAt, write_parts
from imagemill_contract.keys import METADATA, Stage, output_key, stage_folder
from imagemill_contract.locations import Location
from imagemill_contract.recipe import ImageFormat, Recipe
from imagemill_contract.recipe_parts.sizes import Sizes
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import StoredIndex

LINES_AT_ONCE = 5_000
# An index has recipes of earlier releases, too: only their format counts here.
_RECIPES = {str(image_format): Recipe(format=image_format) for image_format in ImageFormat}


def write_metadata(output: Location, recipe: Recipe) -> None:
    """Write the columns of all pictures that all runs have written as files, in key order.

    Of a recipe with several sizes, each has a file with the pictures of that size.
    """
    index = StoredIndex.opened(StoreAt(output))
    for of_size in recipe.in_sizes():
        folder = stage_folder(Stage.RESIZE, of_size)
        write_parts(output, folder + METADATA, _joined(_lines(index.rows(), of_size.sizes)))


def _lines(rows: Iterable[Row], sizes: Sizes) -> Iterator[str]:
    """Lines of the pictures that have this size, or of those with one alone if `sizes` is empty."""
    recipes = {name: replace(recipe, sizes=sizes) for name, recipe in _RECIPES.items()}
    folder = stage_folder(Stage.RESIZE, recipes[ImageFormat.JPG])
    for relative, entry in rows:
        if entry.reason is not None or entry.place is not None or not entry.columns:
            continue
        recipe = entry.run.recipe
        have = recipe.get("sizes", [])
        if not set(sizes).issubset(have) or (have and not sizes):
            continue
        key = output_key(Stage.RESIZE, relative, recipes[recipe["format"]])
        said = zip(sorted(recipe["columns"]), entry.columns, strict=True)
        line = {"file_name": key.removeprefix(folder), **dict(said)}
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _joined(lines: Iterator[str]) -> Iterator[bytes]:
    while some := list(islice(lines, LINES_AT_ONCE)):
        yield "".join(some).encode("utf-8", "surrogateescape")
