"""From pixels to the bytes of an output file. The same pixels are always the same bytes."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import Image

from imagemill_contract.recipe import ImageFormat
from imagemill_worker.pixels import Pixels

# From this quality on colour keeps its full resolution, as in libvips: 128 pixels show it.
_FULL_COLOUR_QUALITY = 90
# Of 0 to 10: files are 6 % larger than at 8, in a quarter of the time; the time of WebP.
_AVIF_SPEED = 10


def encoded(
    image: Pixels, image_format: ImageFormat, quality: int, *, has_points: bool = False
) -> bytes:
    """The file of `image`, which is uint8 (H, W) grey or (H, W, 3) RGB.

    One that is dark and full of fine points is encoded as JPEG by the exact transform, as
    simplejpeg does not.
    """
    if image_format is ImageFormat.JPG:
        return _exact_jpeg(image, quality) if has_points else _jpeg(image, quality)
    buffer = io.BytesIO()
    if image_format is ImageFormat.PNG:
        Image.fromarray(image).save(buffer, "PNG")
    elif image_format is ImageFormat.WEBP:
        Image.fromarray(image).save(buffer, "WEBP", quality=quality)
    else:
        options = {"subsampling": _subsampling(quality), "speed": _AVIF_SPEED}
        # by several threads, files depend on how many there are
        Image.fromarray(image).save(buffer, "AVIF", quality=quality, max_threads=1, **options)
    return buffer.getvalue()


def _jpeg(image: Pixels, quality: int) -> bytes:
    image = np.ascontiguousarray(image)
    if image.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(image[:, :, None], quality, "GRAY", "Gray"))
    subsampling = _subsampling(quality).replace(":", "")
    return bytes(simplejpeg.encode_jpeg(image, quality, "RGB", subsampling))


def _exact_jpeg(image: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=_subsampling(quality))
    return buffer.getvalue()


def _subsampling(quality: int) -> str:
    return "4:4:4" if quality >= _FULL_COLOUR_QUALITY else "4:2:0"
