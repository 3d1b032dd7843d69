"""Finds what a stage does with a picture, in the folder of its name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import cast

from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Recipe
from imagemill_worker.pixels import Area, FileBytes
from imagemill_worker.stages import resize
from imagemill_worker.stages.picture_stage import Picture, PictureStage, Product

NEEDS_TOO_MUCH_MEMORY = "Decoding the picture needs more memory than one picture may take."


def import_libraries(stage: Stage) -> None:
    """Import what this stage needs, and nothing that only other stages need."""
    libraries = resize.LIBRARIES if stage is Stage.RESIZE else _picture_stage(stage).LIBRARIES
    for name in libraries:
        importlib.import_module(name)


def product_of(
    stage: Stage, body: FileBytes, recipe: Recipe, area: Area | None = None, *, alone: bool = True
) -> Product:
    """The file that a stage makes from a file. Raises as `products_of`."""
    (product,) = products_of(stage, (Picture(body, area),), (recipe,), alone=alone)
    return product


def products_of(
    stage: Stage, pictures: Sequence[Picture], recipes: Sequence[Recipe], *, alone: bool = True
) -> list[Product]:
    """The files that a stage makes of a picture, one for each recipe: each for one size.

    All sizes are resized from one file; a later stage reads the file of each size that it does.

    Raises:
        PictureError: The picture gets no output.
        AloneError: It needs too much memory to be done beside others; only if not `alone`.
        MemoryError: It needs more memory than there is.
    """
    if stage is Stage.RESIZE:
        return resize.products_of(pictures[0], recipes, alone=alone)
    package = _picture_stage(stage)
    return [package.product_of(it, recipe) for it, recipe in zip(pictures, recipes, strict=True)]


def _picture_stage(stage: Stage) -> PictureStage:
    return cast("PictureStage", importlib.import_module(f"imagemill_worker.stages.{stage}"))
