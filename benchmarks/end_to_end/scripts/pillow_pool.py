"""A pool of two processes: Pillow shrinks while it decodes; Canny. `pillow_pool.py PHOTOS OUT`."""

import sys
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

PHOTOS, OUT = map(Path, sys.argv[1:])


def convert(path: Path) -> None:
    image = Image.open(path)
    image.draft("RGB", (256, 256))  # not less than twice the result, which would be blurred
    small = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (128, 128))
    small.save(OUT / "resized" / f"{path.stem}.jpg", quality=95, subsampling=0)
    edges = cv2.Canny(np.asarray(small.convert("L")), 100, 200)
    cv2.imwrite(str(OUT / "edges" / f"{path.stem}.png"), edges)


if __name__ == "__main__":
    for stage in ("resized", "edges"):
        (OUT / stage).mkdir(parents=True)
    with Pool(2) as pool:
        for _ in pool.imap_unordered(convert, sorted(PHOTOS.glob("*.jpg")), chunksize=16):
            pass
