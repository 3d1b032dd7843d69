"""A small copy of a picture that a job has written, for the page of its run."""

from __future__ import annotations

import io

from imagemill_worker.pixels import FileBytes

_SIDE_PIXELS = 96
_QUALITY = 70
_METHOD = 2  # of 0 to 6; 4, the default, takes half as long again, for 3 % fewer bytes
# More would take memory that the job does not ask for; a JPEG is decoded smaller.
_MAX_PIXELS = 16_000_000


def preview(body: FileBytes) -> bytes:
    """A WebP that fits into a square; empty if the picture is too large, or cannot be decoded."""
    # A job needs it only when its lanes are done. To find who saves WebP, Pillow would import all
    # its plugins.
    from PIL import Image, WebPImagePlugin  # noqa: F401

    Image.MAX_IMAGE_PIXELS = None  # the recipe has its own limit
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.draft("RGB", (2 * _SIDE_PIXELS, 2 * _SIDE_PIXELS))
            if image.width * image.height > _MAX_PIXELS:
                return b""
            small = image.convert("RGB")
            small.thumbnail((_SIDE_PIXELS, _SIDE_PIXELS))
            result = io.BytesIO()
            small.save(result, "WEBP", quality=_QUALITY, method=_METHOD)
            return result.getvalue()
    except (OSError, SyntaxError, ValueError):
        return b""
