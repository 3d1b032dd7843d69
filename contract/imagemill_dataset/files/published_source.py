"""What a dataset tells of where its pictures are from."""

from __future__ import annotations

from functools import lru_cache

from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe


@lru_cache(maxsize=64)  # a table has it in each row
def published_source(address: str) -> str:
    """An address in S3 as it is; of a folder only its own name, such as `PHOTOS/`.

    A dataset is given away, and the path of a folder tells of the machine and of its owner.
    """
    if not address.startswith("file://"):
        return address
    return f"{Location.parse(address, 'source').name}/"


def published_recipe(recipe: Recipe) -> dict[str, object]:
    """A recipe's document, in which a model's file has no folder: `file:///model.onnx`."""
    document = recipe.to_document()
    if recipe.model.startswith("file://"):
        document["model"] = f"file:///{recipe.model.rpartition('/')[2]}"
    return document
