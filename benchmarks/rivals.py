"""The contenders: each turns the bytes of a JPEG file into those of a 128 x 128 JPEG file.

Runs as a script in a contender's own environment: `rivals.py NAME PASSES FILE...` prints one line
for each file with the seconds of CPU that PASSES over it took, without imports and reading. It
imports nothing but the contender.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE, QUALITY = 128, 95
Convert = Callable[[bytes], Any]


def imagemill() -> Convert:
    from imagemill_contract.keys import Stage
    from imagemill_contract.recipe import Recipe
    from imagemill_worker.stages.picture_stages import import_libraries, product_of

    import_libraries(Stage.RESIZE)
    recipe = Recipe()
    return lambda body: product_of(Stage.RESIZE, body, recipe).body


def floor() -> Convert:
    """libjpeg-turbo decoding at 1/8 and nothing else."""
    import simplejpeg

    def decode(body: bytes) -> object:
        height, width, _, _ = simplejpeg.decode_jpeg_header(body)
        return simplejpeg.decode_jpeg(
            body, "RGB", min_height=-(-height // 8), min_width=-(-width // 8)
        )

    return decode


def naive() -> Convert:
    import cv2
    import numpy as np

    cv2.setNumThreads(1)

    def convert(body: bytes) -> bytes:
        image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        height, width = image.shape[:2]
        scale = SIZE / min(height, width)
        size = (round(width * scale), round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        top, left = (size[1] - SIZE) // 2, (size[0] - SIZE) // 2
        image = image[top : top + SIZE, left : left + SIZE]
        return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])

    return convert


def img2dataset() -> Convert:
    from img2dataset.resizer import Resizer

    resizer = Resizer(SIZE, "center_crop", False, encode_quality=QUALITY)

    def convert(body: bytes) -> bytes:
        result = resizer(io.BytesIO(body))
        assert result[-1] is None, result[-1]
        return bytes(result[0])

    return convert


def pillow() -> Convert:
    from PIL import Image

    def convert(body: bytes) -> bytes:
        image = Image.open(io.BytesIO(body))
        image.draft("RGB", (2 * SIZE, 2 * SIZE))
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        small = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=QUALITY)
        return buffer.getvalue()

    return convert


def pyvips() -> Convert:
    import pyvips as vips

    def convert(body: bytes) -> bytes:
        image = vips.Image.thumbnail_buffer(body, SIZE, height=SIZE, crop="centre")
        return bytes(image.jpegsave_buffer(Q=QUALITY))

    return convert


CONTENDERS = {f.__name__: f for f in (imagemill, floor, naive, img2dataset, pillow, pyvips)}


def main() -> None:
    name, passes, *paths = sys.argv[1:]
    bodies = [Path(path).read_bytes() for path in paths]
    convert = CONTENDERS[name]()
    seconds = [0.0] * len(bodies)
    for _ in range(int(passes)):
        for number, body in enumerate(bodies):
            began = time.process_time()
            convert(body)
            seconds[number] += time.process_time() - began
    print(*seconds, sep="\n")


if __name__ == "__main__":
    main()
