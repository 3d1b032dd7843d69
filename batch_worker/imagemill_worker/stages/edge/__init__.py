"""The stage `edge`: a resized picture in; its edge map as PNG out.

The arithmetic is in `picture`.
"""

from __future__ import annotations

from imagemill_contract.recipe import Recipe
from imagemill_dataset.shards import PixelSums
from imagemill_worker.stages.picture_stage import Picture, Product

LIBRARIES = ("imagemill_worker.picture.edges",)


def product_of(picture: Picture, recipe: Recipe, /) -> Product:
    from imagemill_worker.picture import edges

    found = edges.found_edges(picture.body, recipe, picture.area)
    height, width = found.pixels.shape[:2]
    file = edges.encoded_edges(found.pixels)
    sums = edges.pixel_sums(picture.body) if recipe.is_packed else PixelSums()
    return Product(file, width, height, sums, fingerprint=found.fingerprint)
