"""A process that reads pictures from its input and writes small copies to its output.

Each message is a length of eight bytes, and so many bytes. It answers nothing for what is no
picture.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

LENGTH_BYTES = 8
MAX_SOURCE_BYTES = 24 << 20
_MAX_PIXELS = 50_000_000
_SIDE_PIXELS = 240
_QUALITY = 72
_METHOD = 2  # of 0 to 6: files are 4 % larger than by the usual one, in half of the time
_MEMORY_BYTES = 1 << 30


def shrunk(body: bytes) -> bytes:
    """A WebP that fits into a square, upright; empty if the picture cannot be decoded."""
    # WebPImagePlugin: to find who saves WebP, Pillow would import all its plugins
    from PIL import Image, ImageFile, ImageOps, WebPImagePlugin  # noqa: F401

    ImageFile.LOAD_TRUNCATED_IMAGES = True  # the part that is there shows what it is
    try:
        with Image.open(io.BytesIO(body)) as image:
            if image.width * image.height > _MAX_PIXELS:
                return b""
            image.draft("RGB", (_SIDE_PIXELS, _SIDE_PIXELS))  # its shorter side, at least
            upright = ImageOps.exif_transpose(image)
            small = upright.convert("RGBA" if _has_alpha(upright) else "RGB")
            small.thumbnail((_SIDE_PIXELS, _SIDE_PIXELS))
            result = io.BytesIO()
            small.save(result, "WEBP", quality=_QUALITY, method=_METHOD)
            return result.getvalue()
    except Exception:  # noqa: BLE001 # whatever a file provokes: there is no preview of it
        return b""


def _has_alpha(image: object) -> bool:
    mode = str(getattr(image, "mode", ""))
    return "A" in mode or (mode == "P" and "transparency" in getattr(image, "info", {}))


def main() -> None:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(LENGTH_BYTES):
        answer = shrunk(source.read(int.from_bytes(header, "big")))
        sink.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        sink.flush()


if __name__ == "__main__":
    main()
