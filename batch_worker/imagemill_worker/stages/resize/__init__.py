"""The stage `resize`: a file of any kind in; the picture in the recipe's size and format out.

It is the only one that makes several sizes of one file. The arithmetic is in `picture`.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagemill_contract.recipe import Recipe
from imagemill_worker.stages.picture_stage import Picture, Product

# ImageFile: Pillow itself would import it only for the first picture
LIBRARIES = (
    "imagemill_worker.picture.resize",
    "imagemill_worker.codecs.encode",
    "PIL.ImageFile",
)


def products_of(picture: Picture, recipes: Sequence[Recipe], *, alone: bool) -> list[Product]:
    """A result for each recipe. Raises as `picture_stages.products_of`."""
    from imagemill_worker.codecs import encode
    from imagemill_worker.picture import resize

    first, sizes = recipes[0], []
    for done in resize.padded_in_sizes(picture.body, recipes, alone=alone):
        file = encode.encoded(done.pixels, first.format, first.quality, has_points=done.has_points)
        height, width = done.pixels.shape[:2]
        sizes.append(Product(file, width, height, area=done.area, original=done.original))
    return sizes
