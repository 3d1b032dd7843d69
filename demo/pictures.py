"""Cuts pictures of many sizes and formats from the photographs that scikit-image ships."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
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


def cut_pictures(folder: Path) -> int:
    """Write the demo's pictures as `<folder>/<sha256>.<extension>` and return their number.

    The cuts are drawn from a fixed seed: every demo has the same pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for body, extension in _encoded_cuts(random.Random(2017)):  # noqa: S311 # pictures, no secrets
        name = f"{hashlib.sha256(body).hexdigest()}.{extension}"
        (folder / name).write_bytes(body)
        names.add(name)
    return len(names)


def _encoded_cuts(draw: random.Random) -> Iterator[tuple[bytes, str]]:
    data = files("skimage") / "data"
    for name in PHOTOGRAPHS:
        with (data / name).open("rb") as file, Image.open(file) as photograph:
            picture = photograph.convert("RGB")
        for _ in range(PICTURES_PER_PHOTOGRAPH):
            kind = draw.choice(FORMATS)
            buffer = BytesIO()
            _cut(picture, draw).save(buffer, kind)
            yield buffer.getvalue(), EXTENSIONS[kind]


def _cut(picture: Image.Image, draw: random.Random) -> Image.Image:
    """A part of the picture, of a fifth to all of each side, sometimes enlarged."""
    width = int(picture.width * draw.uniform(0.2, 1))
    height = int(picture.height * draw.uniform(0.2, 1))
    left = draw.randint(0, picture.width - width)
    top = draw.randint(0, picture.height - height)
    part = picture.crop((left, top, left + width, top + height))
    factor = draw.choice((1, 1, 1, 2, 3))
    return part.resize((width * factor, height * factor))
