"""`resized/metadata.jsonl`: the columns of pictures that are files, as an imagefolder has them.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from imagemill_app.stores import StoreAt, write_parts
from imagemill_contract.keys import METADATA, STAGE_FOLDERS, Stage, output_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import ImageFormat, Recipe
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import StoredIndex

LINES_AT_ONCE = 5_000
# An index has recipes of earlier releases, too: only their format counts here.
_RECIPES = {str(image_format): Recipe(format=image_format) for image_format in ImageFormat}


def write_metadata(output: Location) -> None:
    """Write the columns of all pictures that all runs have written as files, in key order."""
    lines = _lines(StoredIndex.opened(StoreAt(output)).rows())
    write_parts(output, METADATA, _joined(lines))


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    folder = STAGE_FOLDERS[Stage.RESIZE]
    for relative, entry in rows:
        if entry.reason is not None or entry.place is not None or not entry.columns:
            continue
        recipe = entry.run.recipe
        key = output_key(Stage.RESIZE, relative, _RECIPES[recipe["format"]])
        said = zip(sorted(recipe["columns"]), entry.columns, strict=True)
        line = {"file_name": key.removeprefix(folder), **dict(said)}
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _joined(lines: Iterator[str]) -> Iterator[bytes]:
    while some := list(islice(lines, LINES_AT_ONCE)):
        yield "".join(some).encode("utf-8", "surrogateescape")
