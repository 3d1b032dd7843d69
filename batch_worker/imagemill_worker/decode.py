"""From the bytes of a file to an image in memory, no larger than the result needs.

What comes out is a Pillow image as stored in the file (not yet upright), in one of the modes L, LA,
RGB, RGBA and CMYK, with 8 bits for each sample.
"""

from __future__ import annotations

import importlib
import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker import exif
from imagemill_worker.errors import PictureError
from imagemill_worker.sniff import Kind

Image.MAX_IMAGE_PIXELS = None  # the recipe has its own limit, checked by `Source.check_size`

# What Pillow's plugins raise on broken and hostile files, as found by feeding them such files.
DECODER_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip

_PLUGINS = {Kind.JPEG2000: "Jpeg2KImagePlugin", Kind.WEBP: "WebPImagePlugin"}
_PLAIN_MODES = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_CONVERSIONS = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}


@dataclass(slots=True)
class OpenedFile:
    """A file whose header was read and whose pixels were not.

    Attributes:
        image: Pillow's lazy image.
        orientation: EXIF orientation, 1 to 8.
        icc_profile: Embedded colour profile, or empty.
    """

    image: Image.Image
    orientation: int
    icc_profile: bytes


def open_file(body: bytes, kind: Kind) -> OpenedFile:
    """Read the header only. Raises PictureError (`truncated` or `corrupt`)."""
    importlib.import_module(f"PIL.{_PLUGINS.get(kind, kind.title() + 'ImagePlugin')}")
    try:
        image = Image.open(io.BytesIO(body), formats=[kind])
        profile = image.info.get("icc_profile") or b""
        return OpenedFile(image, _orientation_of(image), bytes(profile))
    except DECODER_FAULTS as error:
        raise picture_error(error, kind) from error


def load_pixels(opened: OpenedFile, kind: Kind) -> Image.Image:
    """Decode. Raises PictureError (`truncated`, `corrupt`, `unsupported_format`)."""
    try:
        opened.image.load()
        return _as_plain_mode(opened.image, kind)
    except DECODER_FAULTS as error:
        raise picture_error(error, kind) from error


def picture_error(error: Exception, kind: Kind) -> PictureError:
    """The rejection that a decoder's fault stands for."""
    text = str(error) or type(error).__name__
    lower = text.lower()
    ends_early = any(word in lower for word in ("truncated", "premature end", "end of file", "eof"))
    if ends_early or isinstance(error, EOFError):
        return PictureError(Reason.TRUNCATED, f"The {kind} file ends before its last pixel.")
    return PictureError(Reason.CORRUPT, f"The {kind} file cannot be decoded: {text[:200]}.")


def _orientation_of(image: Image.Image) -> int:
    if image.format == Kind.TIFF:
        value = image.tag_v2.get(0x0112, 1)  # type: ignore[attr-defined] # TIFF images have it
        return value if value in range(1, 9) else 1
    return exif.orientation(image.info.get("exif") or b"")


def _as_plain_mode(image: Image.Image, kind: Kind) -> Image.Image:
    mode = image.mode
    if mode.startswith("I;16"):
        return Image.fromarray(_high_bytes(np.asarray(image)))
    if "transparency" in image.info and mode in ("1", "L", "RGB", "P"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    if mode in _PLAIN_MODES:
        return image
    if mode == "P":
        return image.convert("RGBA" if image.palette and image.palette.mode == "RGBA" else "RGB")
    if mode == "LAB":
        return image.convert("RGB")
    if mode in _CONVERSIONS:
        return image.convert(_CONVERSIONS[mode])
    detail = f"{kind} files with samples of kind {mode} have no defined brightness."
    raise PictureError(Reason.UNSUPPORTED_FORMAT, detail)


def _high_bytes(samples: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """0 to 65535 as 0 to 255, rounded; 257 = 65535 / 255."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
