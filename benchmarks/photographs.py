"""The photographs that the benchmarks decode: 2, 4 and 12 megapixels, 670 KB on average.

Real photographs, re-encoded as baseline JPEG 4:2:0. They come from a folder of JPEG files of at
least 2 megapixels, given by PHOTOGRAPHS or in `../shared/photos/full`. Without one they are those
that scikit-image ships, which are smaller and so smoother when enlarged. The sizes imitate the data
set of 2017, with 330,000 pictures in 220 GB.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "photographs"
# name: width, height, how many of each 15, quality
CLASSES = {"2mp": (1632, 1224, 8, 88), "4mp": (2448, 1632, 5, 91), "12mp": (4000, 3000, 2, 92)}
LEAST_PIXELS = 1_900_000


@dataclass(frozen=True)
class Photograph:
    size_class: str
    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes()


def photographs() -> list[Photograph]:
    """15 files, made at the first call; the same sources always give the same files."""
    if not (BUILD / "done").exists():
        _make()
    return [Photograph(path.parent.name, path) for path in sorted(BUILD.glob("*/*.jpg"))]


def _make() -> None:
    sources = _sources()
    number = 0
    for name, (width, height, count, quality) in CLASSES.items():
        (BUILD / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            source = sources[number % len(sources)]
            number += 1
            landscape = source.width >= source.height
            size = (width, height) if landscape else (height, width)
            image = ImageOps.fit(source, size, Image.Resampling.LANCZOS)
            image.save(BUILD / name / f"{index:02}.jpg", quality=quality)
    (BUILD / "done").touch()


def _sources() -> list[Image.Image]:
    folder = Path(os.environ.get("PHOTOGRAPHS", ROOT.parent / "shared" / "photos" / "full"))
    images = [Image.open(path) for path in sorted(folder.glob("*.jpg"))] if folder.is_dir() else []
    large = [image for image in images if image.width * image.height >= LEAST_PIXELS]
    if large:
        # those with most detail for the largest class, which comes last
        large.sort(key=lambda image: Path(str(image.filename)).stat().st_size)
        return [ImageOps.exif_transpose(image).convert("RGB") for image in large[-15:]]
    import skimage.data

    names = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "rocket", "retina")
    return [Image.fromarray(getattr(skimage.data, name)()) for name in names]


def mean_bytes() -> float:
    sizes = [photo.path.stat().st_size for photo in photographs()]
    return sum(sizes) / len(sizes)


def as_file(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
