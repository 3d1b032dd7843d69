"""The photographs that the benchmarks decode: 2, 4 and 12 megapixels, 670 KB on average.

Real photographs, re-encoded as baseline JPEG 4:2:0, in two sets. `cameras` come from a folder of
JPEG files of at least 2 megapixels, given by PHOTOGRAPHS or in `../shared/photos/full`. Without it
there is only `scikit-image`: those that this package ships, which are smaller and so smoother when
enlarged. The sizes imitate the data set of 2017, with 330,000 pictures in 220 GB.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
CAMERAS, SCIKIT_IMAGE = "cameras", "scikit-image"
# name: width, height, how many of each 15, quality
CLASSES = {"2mp": (1632, 1224, 8, 88), "4mp": (2448, 1632, 5, 91), "12mp": (4000, 3000, 2, 92)}
LEAST_PIXELS = 1_900_000


@dataclass(frozen=True)
class Photograph:
    size_class: str
    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes()


def sets() -> list[str]:
    """The sets that can be had here, the usual one first."""
    return [CAMERAS, SCIKIT_IMAGE] if _large_files() else [SCIKIT_IMAGE]


def folder_of(name: str = "") -> Path:
    """The folder of a set, or of the usual one."""
    return ROOT / "build" / "photographs" / (name or sets()[0])


def photographs(name: str = "") -> list[Photograph]:
    """15 files, made at the first call; the same sources always give the same files."""
    folder = folder_of(name)
    if not (folder / "done").exists():
        _make(folder)
    return [Photograph(path.parent.name, path) for path in sorted(folder.glob("*/*.jpg"))]


def unmodified() -> list[Path]:
    """The JPEG files of cameras as they are, of any size; none where there are none."""
    folder = Path(os.environ.get("PHOTOGRAPHS", ROOT.parent / "shared" / "photos" / "full"))
    return sorted(folder.glob("*.jpg"))


def originals(name: str) -> list[Image.Image]:
    """What a set is made from, RGB and upright; of cameras those with most detail come last."""
    if name == CAMERAS:
        images = [ImageOps.exif_transpose(Image.open(path)) for path in _large_files()[-15:]]
        return [image.convert("RGB") for image in images]
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


def _make(folder: Path) -> None:
    sources = originals(folder.name)
    number = 0
    for name, (width, height, count, quality) in CLASSES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            image = resized_to_fit(sources[number % len(sources)], width, height)
            image.save(folder / name / f"{index:02}.jpg", quality=quality)
            number += 1
    (folder / "done").touch()


def resized_to_fit(source: Image.Image, width: int, height: int) -> Image.Image:
    """Its middle, at this size, or turned if it is a portrait."""
    size = (width, height) if source.width >= source.height else (height, width)
    return ImageOps.fit(source, size, Image.Resampling.LANCZOS)


def _large_files() -> list[Path]:
    """The cameras' files that are large enough, those with most bytes last."""
    paths = sorted(unmodified(), key=lambda path: path.stat().st_size)
    return [path for path in paths if _pixels(path) >= LEAST_PIXELS]


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height
