"""What each stage does with one picture, from bytes to bytes."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Original
from imagemill_contract.recipe import Recipe
from imagemill_dataset.shards import PixelSums
from imagemill_worker.pixels import Area, FileBytes

NEEDS_TOO_MUCH_MEMORY = "Decoding the picture needs more memory than one picture may take."

_LIBRARIES = {
    # ImageFile: Pillow itself would import it only for the first picture
    Stage.RESIZE: (
        "imagemill_worker.picture.resize",
        "imagemill_worker.codecs.encode",
        "PIL.ImageFile",
    ),
    Stage.EDGE: ("imagemill_worker.picture.edges",),
}


@dataclass(frozen=True, slots=True)
class Product:
    """A file to be written, and its size in pixels.

    Attributes:
        pixels: For an edge map that is packed: the sums of the picture beside it.
        area: Left, top, width and height of a picture within its padding; None without padding.
        fingerprint: Of the picture that an edge map was made from; otherwise empty.
        original: What a resized picture was before; otherwise None.
    """

    body: bytes
    width: int
    height: int
    pixels: PixelSums = field(default_factory=PixelSums)
    area: Area | None = None
    fingerprint: str = ""
    original: Original | None = None


def import_libraries(stage: Stage) -> None:
    """Import what this stage needs, and nothing that only the other stage needs."""
    for name in _LIBRARIES[stage]:
        importlib.import_module(name)


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that a stage reads, and where the picture in it lies within its padding, if any."""

    body: FileBytes
    area: Area | None = None


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

    All sizes are resized from one file; edges are found in the file of their size.

    Raises:
        PictureError: The picture gets no output.
        AloneError: It needs too much memory to be done beside others; only if not `alone`.
        MemoryError: It needs more memory than there is.
    """
    if stage is Stage.RESIZE:
        from imagemill_worker.codecs import encode
        from imagemill_worker.picture import resize

        first, sizes = recipes[0], []
        for done in resize.padded_in_sizes(pictures[0].body, recipes, alone=alone):
            file = encode.encoded(done.pixels, first.format, first.quality)
            height, width = done.pixels.shape[:2]
            sizes.append(Product(file, width, height, area=done.area, original=done.original))
        return sizes
    return [_edges_of(it, recipe) for it, recipe in zip(pictures, recipes, strict=True)]


def _edges_of(picture: Picture, recipe: Recipe) -> Product:
    from imagemill_worker.picture import edges

    body = picture.body
    found = edges.found_edges(body, recipe, picture.area)
    height, width = found.pixels.shape[:2]
    file = edges.encoded_edges(found.pixels)
    sums = edges.pixel_sums(body) if recipe.is_packed else PixelSums()
    return Product(file, width, height, sums, fingerprint=found.fingerprint)
