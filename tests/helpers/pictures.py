"""Pictures for the worker's tests: made here, from a photograph that scikit-image ships."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from imagemill_contract.recipe import Recipe

Array = NDArray[np.uint8]
WIDTH, HEIGHT = 250, 190


def photograph() -> Image.Image:
    """RGB, with a red, a green and a blue corner: any turn of it is seen. The caller's own copy."""
    return _photograph().copy()


@cache
def _photograph() -> Image.Image:
    image = Image.fromarray(skimage.data.astronaut()).resize((WIDTH, HEIGHT))
    for colour, left, top in (("red", 0, 0), ("lime", WIDTH - 60, 0), ("blue", 0, HEIGHT - 60)):
        image.paste(colour, (left, top, left + 60, top + 60))
    return image


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(width: int = WIDTH, height: int = HEIGHT, **options: object) -> bytes:
    return file_of(photograph().resize((width, height)), "JPEG", **{"quality": 92, **options})


def with_alpha(image: Image.Image | None = None) -> Image.Image:
    """Transparent at the top, opaque at the bottom."""
    image = image.copy() if image else photograph()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def expected(body: bytes, size: int = 128, background: str = "white") -> Array:
    """What Pillow makes of a file at full size: the oracle of `center_crop`."""
    opened = Image.open(io.BytesIO(body))
    profile = opened.info.get("icc_profile")
    image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    if image.mode in ("P", "LA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if profile:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        image = image.convert("RGB") if alpha else image
        converted = ImageCms.profileToProfile(image, given, srgb, outputMode="RGB")
        assert converted is not None
        image = converted
        if alpha:
            image.putalpha(alpha)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS))


def decibels(one: Array, other: Array) -> float:
    """Peak signal-to-noise ratio; 99 for equal pictures."""
    assert one.shape == other.shape
    error = float(np.mean((one.astype(float) - other.astype(float)) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def png_declaring(width: int, height: int) -> bytes:
    """A PNG file of some bytes that says it is of any size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def recipe(**fields: object) -> Recipe:
    return Recipe.from_document(fields)


def swapped_colours_profile() -> bytes:
    """A profile: sRGB with its red and green swapped, so that nobody could miss it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {profile[i : i + 4].decode("latin1"): i for i in range(132, 132 + 12 * profile[131], 12)}
    red, green = at["rXYZ"] + 4, at["gXYZ"] + 4
    profile[red : red + 4], profile[green : green + 4] = (
        profile[green : green + 4], profile[red : red + 4],
    )  # fmt: skip
    return bytes(profile)
