"""Decoding with Pillow: from the bytes of a file to an image in memory.

The result is a Pillow image as stored in the file (not yet upright), in one of the modes L, LA,
RGB, RGBA and CMYK, with 8 bits per sample.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs import exif
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.codecs.pillow_plugins import read_header
from imagemill_worker.codecs.tiff import SAMPLE_SCALE, open_tiff
from imagemill_worker.codecs.truncation import is_cut_off
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import Pixels

Image.MAX_IMAGE_PIXELS = None  # the recipe has its own limit, checked before anything is decoded

# What Pillow's plugins raise on broken and hostile files, found by feeding them such files.
DECODER_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NameError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip

_PLAIN_MODES = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_CONVERSIONS = {
    "1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "LAB": "RGB",
}  # fmt: skip
_UNSUPPORTED = ("unknown pixel mode", "unsupported", "not supported", "unknown raw mode")
_TURNED_BY_DECODER = frozenset({Kind.TIFF, Kind.HEIF, Kind.JXL})
_SIXTEEN_BITS = (65_535, False)  # the largest sample, and whether white is zero
_STRIP_PIXELS = 4 << 20


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file whose header was read and whose pixels were not.

    Attributes:
        image: Pillow's lazy image.
        orientation: EXIF orientation, 1 to 8.
        icc_profile: Embedded colour profile, or empty.
        taken: When it was taken, or empty.
    """

    body: bytes
    image: Image.Image
    kind: Kind
    orientation: int
    icc_profile: bytes
    taken: str


def open_file(body: bytes, kind: Kind) -> OpenedFile:
    """Read the header only. Raises PictureError (`truncated` or `corrupt`)."""
    try:
        image = open_tiff(body) if kind is Kind.TIFF else read_header(body, kind)
        profile = image.info.get("icc_profile") or b""
        orientation, taken = _orientation_of(image, body, kind), _taken(image, body, kind)
        return OpenedFile(body, image, kind, orientation, bytes(profile), taken)
    except DECODER_FAULTS as error:
        raise _picture_error(error, kind, body) from error


def load_pixels(opened: OpenedFile, reduction: int = 1) -> Image.Image:
    """Decode; average each block of `reduction` x `reduction` pixels (fewer at right and bottom).

    Raises:
        PictureError: `truncated`, `corrupt` or `unsupported_format`.
    """
    try:
        opened.image.load()
        return _reduced(opened.image, reduction, opened.kind)
    except DECODER_FAULTS as error:
        raise _picture_error(error, opened.kind, opened.body) from error


def _picture_error(error: Exception, kind: Kind, body: bytes) -> PictureError:
    """The rejection that follows from what a decoder raised."""
    text = str(error).partition("\n")[0] or type(error).__name__
    lower = text.lower()
    ends_early = ("truncated", "premature end", "end of file", "eof", "not enough data")
    ended = isinstance(error, EOFError) or any(words in lower for words in ends_early)
    if ended or is_cut_off(body, kind):
        return PictureError(Reason.TRUNCATED, f"The {kind} file ends before its last pixel.")
    if "memory" in lower:
        raise MemoryError(text) from error
    if any(words in lower for words in _UNSUPPORTED):
        detail = f"This kind of {kind} file is not supported: {text[:100]}."
        return PictureError(Reason.UNSUPPORTED_FORMAT, detail)
    # addresses of objects in the text would make a retry's outcome differ
    text = text.partition("<")[0].strip()[:200]
    return PictureError(Reason.CORRUPT, f"The {kind} file cannot be decoded: {text}.")


def _orientation_of(image: Image.Image, body: bytes, kind: Kind) -> int:
    if kind in _TURNED_BY_DECODER:
        return 1
    if kind is Kind.PNG and "exif" not in image.info:
        # Pillow would decode the whole picture to find an eXIf chunk that follows the pixels
        return exif.orientation(exif.png_exif(body)) or 1
    try:
        value = image.getexif().get(exif.ORIENTATION, 1)
    except DECODER_FAULTS:
        return 1
    return value if value in range(1, 9) else 1


def _taken(image: Image.Image, body: bytes, kind: Kind) -> str:
    if kind is Kind.TIFF:
        return exif.taken(body)
    block = image.info.get("exif")
    if block is None and kind is Kind.PNG:
        block = exif.png_exif(body)
    return exif.taken(block) if isinstance(block, bytes) else ""


def _reduced(image: Image.Image, reduction: int, kind: Kind) -> Image.Image:
    """Reduce in strips, so that a large picture is never in memory twice."""
    width, height = image.size
    rows = max(_STRIP_PIXELS // (width * reduction), 1) * reduction
    if rows >= height or (reduction == 1 and image.mode in _PLAIN_MODES):
        return _reduced_strip(image, reduction, kind)
    result: Image.Image | None = None
    for top in range(0, height, rows):
        box = (0, top, width, min(top + rows, height))
        strip = _reduced_strip(image.crop(box), reduction, kind)
        if result is None:
            result = Image.new(strip.mode, (strip.width, -(-height // reduction)))
        result.paste(strip, (0, top // reduction))
    assert result is not None  # noqa: S101 # there is at least one strip
    return result


def _reduced_strip(strip: Image.Image, reduction: int, kind: Kind) -> Image.Image:
    plain = _as_plain_mode(strip, kind)
    return plain.reduce(reduction) if reduction > 1 else plain


def _as_plain_mode(image: Image.Image, kind: Kind) -> Image.Image:
    mode = image.mode
    if mode.startswith("I;16"):
        return _from_sixteen_bits(image)
    if "transparency" in image.info and mode in ("1", "L", "RGB", "P"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    if mode in _PLAIN_MODES:
        return image
    if mode == "P":
        has_alpha = image.palette is not None and image.palette.mode == "RGBA"
        return image.convert("RGBA" if has_alpha else "RGB")
    if mode in _CONVERSIONS:
        return image.convert(_CONVERSIONS[mode])
    detail = f"{kind} files with 32-bit samples are not supported: their white is not defined."
    raise PictureError(Reason.UNSUPPORTED_FORMAT, detail)


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    samples = np.asarray(image)
    most, is_inverted = image.info.get(SAMPLE_SCALE, _SIXTEEN_BITS)
    grey = Image.fromarray(_eight_bits(samples, most))
    if is_inverted:
        return ImageChops.invert(grey)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        alpha = np.where(samples == transparent, np.uint8(0), np.uint8(255))
        return Image.merge("LA", (grey, Image.fromarray(alpha)))
    return grey


def _eight_bits(samples: NDArray[np.uint16], most: int) -> Pixels:
    """0 to `most` as 0 to 255, rounded."""
    return ((samples.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8)
