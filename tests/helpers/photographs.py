"""Pictures for the tests: cut from photographs that scikit-image ships, and broken ones."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

REASON_OF_BROKEN = {
    "broken_truncated.jpg": "truncated",
    "broken_empty.jpg": "empty",
    "broken_text.jpg": "not_an_image",
    "broken_document.pdf": "unsupported_format",
    "broken_huge.png": "too_many_pixels",
}


@cache
def photograph(name: str = "rocket.jpg") -> Image.Image:
    with (files("skimage") / "data" / name).open("rb") as file, Image.open(file) as image:
        return image.convert("RGB")


@cache
def cut(seed: int, kind: str = "jpeg", *, scale: int = 1) -> bytes:
    """An encoded part of a photograph, the same for the same seed."""
    draw = random.Random(seed)
    image = photograph()
    left, top = draw.randint(0, image.width // 3), draw.randint(0, image.height // 3)
    width, height = draw.randint(150, image.width // 2), draw.randint(130, image.height // 2)
    part = image.crop((left, top, left + width, top + height))
    buffer = BytesIO()
    part.resize((part.width * scale, part.height * scale)).save(buffer, kind)
    return buffer.getvalue()


def png_that_declares(width_pixels: int, height_pixels: int) -> bytes:
    """A PNG of the given size in its header, with hardly any data (W3C PNG, 11.2.2 IHDR)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width_pixels, height_pixels, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def write_pictures(folder: Path, count: int) -> list[str]:
    """`count` good pictures in `folder`; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"good_{index:03}.jpg" for index in range(count)]
    for index, name in enumerate(names):
        (folder / name).write_bytes(cut(index))
    return names


def write_broken(folder: Path) -> None:
    """One file for each entry of REASON_OF_BROKEN."""
    folder.mkdir(parents=True, exist_ok=True)
    good = cut(0)
    (folder / "broken_truncated.jpg").write_bytes(good[: len(good) // 2])
    (folder / "broken_empty.jpg").write_bytes(b"")
    (folder / "broken_text.jpg").write_text("This is no picture at all.\n" * 20)
    (folder / "broken_document.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"0" * 500)
    (folder / "broken_huge.png").write_bytes(png_that_declares(20_000, 20_000))
