"""JPEG files, which libjpeg-turbo decodes at the smallest scale that keeps the result's detail."""

from __future__ import annotations

from dataclasses import dataclass

import simplejpeg
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs.decode import load_pixels, open_file
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.codecs.jpeg_header import JpegHeader
from imagemill_worker.codecs.progressive import without_detail
from imagemill_worker.errors import PictureError
from imagemill_worker.pixels import FileBytes

# libjpeg-turbo decodes at n/8 of the size, at a cost that falls with n.
_EIGHTHS = 8
# For sides below this, different n give the same whole number of pixels.
_LEAST_SCALED_SIDE = 64

# What libjpeg says (jerror.h) when pixels are lost. Everything else that libjpeg-turbo's own
# interface refuses, such as harmless padding or a rare subsampling, is left to Pillow.
_DAMAGE = ("premature end of data", "huffman code", "instead of rst", "bad arithmetic code")
_END = "premature end of jpeg file"
_COLOURS = "unsupported color conversion request"


@dataclass(frozen=True, slots=True)
class ScaledJpeg:
    """A decoded picture and its scale: its side divided by the file's side."""

    image: Image.Image
    scale: float


def decode_jpeg(body: FileBytes, header: JpegHeader, least_scale: float) -> ScaledJpeg:
    """Decode at the smallest scale of at least `least_scale`, at most 1.

    Returns an image of mode L, RGB or CMYK, as stored (not upright), whose sides are those of the
    file times the scale, rounded up.

    Raises:
        PictureError: `truncated`, `corrupt` or `unsupported_format`.
    """
    eighths = _eighths(header, least_scale)
    if eighths == 1 and header.is_progressive:
        body = without_detail(body)
    if header.components not in (1, 3):
        return _decode_by_pillow(body, header, eighths)
    colours = "GRAY" if header.components == 1 else "RGB"
    sides = {
        "min_height": -(-header.height * eighths // _EIGHTHS),
        "min_width": -(-header.width * eighths // _EIGHTHS),
    }
    try:
        array = simplejpeg.decode_jpeg(body, colours, **sides)
    except ValueError as error:
        _raise_if_damaged(error)
        _raise_if_other_colours(error, header)
        return _decode_by_pillow(body, header, eighths)
    if header.components == 1:
        array = array[:, :, 0]
    return ScaledJpeg(Image.fromarray(array), eighths / _EIGHTHS)


def decoded_bytes(header: JpegHeader, least_scale: float) -> int:
    """Memory that `decode_jpeg` needs: array, Pillow's copy, buffer of a progressive file."""
    pixels = header.width * header.height
    scale = _eighths(header, least_scale) / _EIGHTHS
    # a lossless file may hold back its samples likewise, where each component has its own scan
    holds_back = header.is_progressive or header.is_lossless
    return int(pixels * scale * scale * 7) + holds_back * 2 * header.components * pixels


def _eighths(header: JpegHeader, least_scale: float) -> int:
    if header.is_lossless or min(header.width, header.height) < _LEAST_SCALED_SIDE:
        return _EIGHTHS  # asked for less, simplejpeg writes a lossless picture past its array's end
    return next((n for n in (1, 2, 4) if n / _EIGHTHS >= least_scale), _EIGHTHS)


def _decode_by_pillow(body: FileBytes, header: JpegHeader, eighths: int) -> ScaledJpeg:
    opened = open_file(bytes(body), Kind.JPEG)
    image = opened.image
    width, height = (side * eighths // _EIGHTHS for side in (header.width, header.height))
    image.draft(image.mode, (width, height))
    return ScaledJpeg(load_pixels(opened), eighths / _EIGHTHS)


def _raise_if_damaged(error: ValueError) -> None:
    text = str(error)
    if _END in text.lower():
        raise PictureError(Reason.TRUNCATED, "The JPEG file ends before its last pixel.") from error
    if any(words in text.lower() for words in _DAMAGE):
        detail = f"The JPEG file is damaged: {text[:200]}."
        raise PictureError(Reason.CORRUPT, detail) from error


def _raise_if_other_colours(error: ValueError, header: JpegHeader) -> None:
    if header.is_lossless and _COLOURS in str(error).lower():
        detail = "Lossless JPEG whose colours are not RGB is not supported."
        raise PictureError(Reason.UNSUPPORTED_FORMAT, detail) from error
