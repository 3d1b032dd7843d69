"""Small files of every kind that is read, made of one photograph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pillow_jxl  # noqa: F401 # so that Pillow writes JPEG XL
from PIL import Image

from tests.helpers.lossless_jpeg import lossless_jpeg
from tests.helpers.pictures import file_of, jpeg, photograph, with_alpha
from tests.helpers.tiff_files import of_samples, of_ycbcr


def by_opencv(extension: str, array: np.ndarray, *options: int) -> bytes:
    return bytes(cv2.imencode(extension, array, options)[1])


def bgr() -> np.ndarray:
    return np.asarray(photograph())[:, :, ::-1]


def sixteen_bits(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(np.uint16) * 257


def in_mode(mode: str, kind: str) -> bytes:
    return file_of(photograph().convert(mode), kind)


def several(kind: str, **options: object) -> bytes:
    first = photograph() if kind != "GIF" else photograph().quantize(64)
    return file_of(
        first, kind, save_all=True, append_images=[first.transpose(Image.Transpose.ROTATE_180)],
        **options,
    )  # fmt: skip


def without_adobe_marker(body: bytes) -> bytes:
    at = body.index(b"\xff\xee")
    return body[:at] + body[at + 2 + int.from_bytes(body[at + 2 : at + 4]) :]


def big_endian_bigtiff() -> bytes:
    file = of_samples(np.asarray(photograph()))
    file.order, file.is_big = ">", True
    return file.encode()


JPEG_FILES: dict[str, Callable[[], bytes]] = {
    "baseline": jpeg,
    "progressive": lambda: jpeg(progressive=True),
    "4:4:4": lambda: jpeg(subsampling=0),
    "4:2:2": lambda: jpeg(subsampling=1),
    "4:1:1": lambda: by_opencv(".jpg", bgr(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111),
    "4:4:0": lambda: by_opencv(".jpg", bgr(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x121111),
    "restart markers": lambda: jpeg(restart_marker_rows=1),
    "rgb": lambda: jpeg(keep_rgb=True),
    "grey": lambda: file_of(photograph().convert("L"), "JPEG"),
    "cmyk": lambda: file_of(photograph().convert("CMYK"), "JPEG"),
    "cmyk, no adobe marker": lambda: without_adobe_marker(
        file_of(photograph().convert("CMYK"), "JPEG")
    ),
    "trailing garbage": lambda: jpeg() + b"\0garbage" * 99,
    "lossless": lambda: lossless_jpeg(np.asarray(photograph())),
    "lossless grey": lambda: lossless_jpeg(np.asarray(photograph().convert("L"))),
    "odd sides": lambda: jpeg(1001, 743),
    "eighth": lambda: jpeg(2400, 1700),
}
OTHER_FILES: dict[str, Callable[[], bytes]] = {
    **{f"png {mode}": partial(in_mode, mode, "PNG") for mode in "1LP"},
    "png": lambda: file_of(photograph(), "PNG"),
    "png alpha": lambda: file_of(with_alpha(), "PNG"),
    "png grey alpha": lambda: file_of(with_alpha(photograph().convert("L")), "PNG"),
    "png 4 bits": lambda: file_of(photograph().quantize(16), "PNG", bits=4),
    "png palette alpha": lambda: file_of(photograph().quantize(16), "PNG", transparency=3),
    "png grey tRNS": lambda: file_of(photograph().convert("L"), "PNG", transparency=90),
    "png colour tRNS": lambda: file_of(photograph(), "PNG", transparency=(255, 0, 0)),
    "png 16 grey": lambda: by_opencv(".png", sixteen_bits(photograph().convert("L"))),
    "png 16": lambda: by_opencv(".png", sixteen_bits(photograph())[:, :, ::-1]),
    "apng": lambda: several("PNG"),
    "webp": lambda: by_opencv(".webp", bgr(), cv2.IMWRITE_WEBP_QUALITY, 90),
    "webp lossless": lambda: file_of(photograph(), "WEBP", lossless=True),
    "webp alpha": lambda: file_of(with_alpha(), "WEBP", quality=90),
    "webp animated": lambda: several("WEBP", quality=90),
    "gif": lambda: several("GIF"),
    "gif transparent": lambda: file_of(photograph().quantize(64), "GIF", transparency=5),
    "bmp": lambda: by_opencv(".bmp", bgr()),
    "bmp palette": lambda: file_of(photograph().quantize(16), "BMP"),
    **{
        f"tiff {mode}": partial(in_mode, mode, "TIFF")
        for mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr")
    },
    "tiff alpha": lambda: file_of(with_alpha(), "TIFF"),
    "tiff lzw": lambda: by_opencv(".tiff", bgr()),
    "tiff jpeg": lambda: file_of(photograph(), "TIFF", compression="jpeg"),
    "tiff 16": lambda: by_opencv(".tiff", sixteen_bits(photograph())[:, :, ::-1]),
    "tiff 16 grey": lambda: by_opencv(".tiff", sixteen_bits(photograph().convert("L"))),
    "tiff pages": lambda: several("TIFF"),
    "avif": lambda: file_of(photograph(), "AVIF", quality=90),
    "avif alpha": lambda: file_of(with_alpha(), "AVIF", quality=90),
    "jpeg 2000": lambda: by_opencv(".jp2", bgr()),
    "jpeg 2000 code stream": lambda: file_of(photograph(), "JPEG2000", no_jp2=True),
    "jpeg 2000 alpha": lambda: file_of(with_alpha(), "JPEG2000"),
    "jpeg xl": lambda: file_of(photograph(), "JXL"),
    "jpeg xl alpha": lambda: file_of(with_alpha(), "JXL"),
    "jpeg xl 16 grey": lambda: file_of(
        Image.fromarray(sixteen_bits(photograph().convert("L"))), "JXL"
    ),
    "ico": lambda: file_of(with_alpha(), "ICO", sizes=[(16, 16), (160, 160)]),
}
# Files of which Pillow alone makes nothing, or something else.
BEYOND_PILLOW: dict[str, Callable[[], bytes]] = {
    "tiff 4:2:0": lambda: of_ycbcr(photograph().crop((0, 0, 240, 176)), 2, 2).encode(),
    "tiff big-endian big": big_endian_bigtiff,
}
