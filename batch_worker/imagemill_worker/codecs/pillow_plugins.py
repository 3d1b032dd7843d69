"""Pillow's readers, each imported for the first file of its kind."""

from __future__ import annotations

import importlib
import io
import threading
from functools import cache

from PIL import Image

from imagemill_worker.codecs.file_kind import Kind

_MODULES = {
    Kind.JPEG: "PIL.JpegImagePlugin",
    Kind.PNG: "PIL.PngImagePlugin",
    Kind.WEBP: "PIL.WebPImagePlugin",
    Kind.GIF: "PIL.GifImagePlugin",
    Kind.BMP: "PIL.BmpImagePlugin",
    Kind.TIFF: "PIL.TiffImagePlugin",
    Kind.AVIF: "PIL.AvifImagePlugin",
    Kind.JPEG2000: "PIL.Jpeg2KImagePlugin",
    Kind.ICO: "PIL.IcoImagePlugin",
    Kind.HEIF: "pi_heif",
    Kind.JXL: "pillow_jxl.JpegXLImagePlugin",
}
_LIBTIFF = threading.Lock()  # Pillow's switch is for all that is opened meanwhile


def read_header(body: bytes, kind: Kind) -> Image.Image:
    """Pillow's lazy image of a file. Raises whatever the plugin raises.

    `Image.open` would also try other kinds, and hide why the plugin refuses a file.
    """
    _import_plugin(kind)
    image: Image.Image = Image.OPEN[kind][0](io.BytesIO(body), "")
    return image


def read_header_by_libtiff(body: bytes) -> Image.Image:
    """The same of a TIFF file whose samples are to be read by libtiff, though not compressed."""
    _import_plugin(Kind.TIFF)
    plugin = vars(importlib.import_module(_MODULES[Kind.TIFF]))
    with _LIBTIFF:
        plugin["READ_LIBTIFF"] = True
        try:
            return read_header(body, Kind.TIFF)
        finally:
            plugin["READ_LIBTIFF"] = False


@cache
def _import_plugin(kind: Kind) -> None:
    module = importlib.import_module(_MODULES[kind])
    if kind is Kind.HEIF:
        module.options.DECODE_THREADS = 1  # a lane is one vCPU's worth
        module.register_heif_opener()
    elif kind is Kind.JXL:
        vars(module)["DECODE_THREADS"] = 0  # none but the caller's
