"""Cuts pictures of many sizes and formats from the photographs that scikit-image ships."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

PICTURES_PER_PHOTOGRAPH = 26
FORMATS = ("jpeg", "jpeg", "jpeg", "png", "webp", "tiff")  # mostly what buckets are full of
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif"}
PHOTOGRAPHS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)


@dataclass(frozen=True, slots=True)
class Cut:
    """One picture of the demo.

    Attributes:
        name: Of its file.
        photograph: The file that it was cut from.
        share: How much of the photograph it shows, up to 1.
    """

    name: str
    photograph: str
    share: float


def cut_pictures(folder: Path) -> list[Cut]:
    """Write the demo's pictures as `<folder>/<sha256>.<extension>`.

    The cuts are drawn from a fixed seed: every demo has the same pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return list(_written_cuts(folder, random.Random(2017)))  # noqa: S311 # pictures, no secrets


def _written_cuts(folder: Path, draw: random.Random) -> Iterator[Cut]:
    data = files("skimage") / "data"
    for name in PHOTOGRAPHS:
        with (data / name).open("rb") as file, Image.open(file) as photograph:
            picture = photograph.convert("RGB")
        for _ in range(PICTURES_PER_PHOTOGRAPH):
            kind = draw.choice(FORMATS)
            buffer = BytesIO()
            part = _part(picture, draw)
            factor = draw.choice((1, 1, 1, 2, 3))
            part.resize((part.width * factor, part.height * factor)).save(buffer, kind)
            body = buffer.getvalue()
            file_name = f"{hashlib.sha256(body).hexdigest()}.{EXTENSIONS[kind]}"
            (folder / file_name).write_bytes(body)
            share = part.width * part.height / (picture.width * picture.height)
            yield Cut(file_name, name, share)


def _part(picture: Image.Image, draw: random.Random) -> Image.Image:
    """A part of the picture, of a fifth to all of each side."""
    width = int(picture.width * draw.uniform(0.2, 1))
    height = int(picture.height * draw.uniform(0.2, 1))
    left = draw.randint(0, picture.width - width)
    top = draw.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))
