"""What each stage does with one picture, from bytes to bytes."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Recipe
from imagemill_dataset.shards import PixelSums
from imagemill_worker.pixels import FileBytes

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

    `pixels` are set for an edge map that is packed: the sums of the picture beside it.
    """

    body: bytes
    width: int
    height: int
    pixels: PixelSums = field(default_factory=PixelSums)


def import_libraries(stage: Stage) -> None:
    """Import what this stage needs, and nothing that only the other stage needs."""
    for name in _LIBRARIES[stage]:
        importlib.import_module(name)


def product_of(stage: Stage, body: FileBytes, recipe: Recipe, *, alone: bool = True) -> Product:
    """The file that a stage makes from a file.

    Raises:
        PictureError: The picture gets no output.
        AloneError: It needs too much memory to be done beside others; only if not `alone`.
        MemoryError: It needs more memory than there is.
    """
    if stage is Stage.RESIZE:
        from imagemill_worker.codecs import encode
        from imagemill_worker.picture import resize

        image = resize.resized(body, recipe, alone=alone)
        file = encode.encoded(image, recipe.format, recipe.quality)
        return Product(file, image.shape[1], image.shape[0])
    from imagemill_worker.picture import edges

    edge_map = edges.edge_map(body, recipe)
    file = edges.encoded_edges(edge_map)
    sums = edges.pixel_sums(body) if recipe.is_packed else PixelSums()
    return Product(file, edge_map.shape[1], edge_map.shape[0], sums)
