"""A process that reads small pictures from its input and writes one picture of all of them.

Each picture comes as a length of eight bytes, and so many bytes.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from imagemill_app.page.shrink import LENGTH_BYTES

_COLUMNS, _CELL_PIXELS, _GAP_PIXELS = 5, 96, 4
_QUALITY = 85
_SECONDS = 30.0


def contact_sheet(files: Sequence[bytes]) -> bytes:
    """A JPEG of pictures side by side, five in a row; the same files give the same bytes.

    Pillow runs in a process of its own. If that fails, the JPEG is empty: no run should.
    """
    framed = b"".join(len(file).to_bytes(LENGTH_BYTES, "big") + file for file in files)
    command = [sys.executable, "-m", "imagemill_app.page.contact_sheet"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            command, input=framed, env=environment, capture_output=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return b""
    return b"" if done.returncode else done.stdout


def laid_out(files: Sequence[bytes]) -> bytes:
    """What `contact_sheet` returns, in this process."""
    # WebPImagePlugin: to find who reads WebP, Pillow would import all its plugins
    from PIL import Image, WebPImagePlugin  # noqa: F401

    step = _CELL_PIXELS + _GAP_PIXELS
    columns, rows = min(_COLUMNS, len(files)), -(-len(files) // _COLUMNS)
    sheet = Image.new("RGB", (columns * step + _GAP_PIXELS, rows * step + _GAP_PIXELS), "white")
    for place, file in enumerate(files):
        with Image.open(io.BytesIO(file)) as image:
            image.thumbnail((_CELL_PIXELS, _CELL_PIXELS))
            row, column = divmod(place, _COLUMNS)
            left = column * step + _GAP_PIXELS + (_CELL_PIXELS - image.width) // 2
            top = row * step + _GAP_PIXELS + (_CELL_PIXELS - image.height) // 2
            sheet.paste(image, (left, top))
    result = io.BytesIO()
    sheet.save(result, "JPEG", quality=_QUALITY)
    return result.getvalue()


def _read_files() -> Iterator[bytes]:
    while header := sys.stdin.buffer.read(LENGTH_BYTES):
        yield sys.stdin.buffer.read(int.from_bytes(header, "big"))


if __name__ == "__main__":
    sys.stdout.buffer.write(laid_out(list(_read_files())))
