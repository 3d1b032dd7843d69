"""What a stage is that does one picture at a time.

Whatever else a stage needs is done for it: its jobs, their retries and journals, reading, writing,
outcomes, and what becomes of a picture that kills the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.recipe import Recipe
from imagemill_dataset.shards import PixelSums
from imagemill_worker.pixels import Area, FileBytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that a stage reads: the source of the first stage, the resized picture of all others.

    Attributes:
        body: The file.
        area: Left, top, width and height of the picture within its padding; None without padding.
    """

    body: FileBytes
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A file to be written, and its size in pixels; 0 for what is no picture.

    Attributes:
        pixels: For an edge map that is packed: the sums of the picture beside it.
        area: Left, top, width and height of a picture within its padding; None without padding.
        fingerprint: Of the picture that an edge map was made from; otherwise empty.
        original: What a resized picture was before; otherwise None.
    """

    body: bytes
    width: int = 0
    height: int = 0
    pixels: PixelSums = field(default_factory=PixelSums)
    area: Area | None = None
    fingerprint: str = ""
    original: Original | None = None


class PictureStage(Protocol):
    """The package of a stage that reads resized pictures, imported before there is one.

    Attributes:
        LIBRARIES: Modules that take time to import: they are, while pictures are on their way.
    """

    LIBRARIES: Sequence[str]

    @staticmethod
    def product_of(picture: Picture, recipe: Recipe, /) -> Product:
        """The result for a picture.

        Raises:
            PictureError: The picture gets none, and why.
            MemoryError: It needs more memory than there is.
        """
        ...
