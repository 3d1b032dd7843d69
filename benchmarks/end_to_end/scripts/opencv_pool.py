"""A pool of two processes: OpenCV decodes at full size; Canny. `opencv_pool.py PHOTOS OUT`."""

import sys
from multiprocessing import Pool
from pathlib import Path

import cv2

PHOTOS, OUT = map(Path, sys.argv[1:])


def convert(path: Path) -> None:
    image = cv2.imread(str(path))
    assert image is not None
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side]
    small = cv2.resize(square, (128, 128), interpolation=cv2.INTER_AREA)
    jpeg = str(OUT / "resized" / f"{path.stem}.jpg")
    full_colour = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    cv2.imwrite(jpeg, small, [cv2.IMWRITE_JPEG_QUALITY, 95, *full_colour])
    edges = cv2.Canny(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 100, 200)
    cv2.imwrite(str(OUT / "edges" / f"{path.stem}.png"), edges)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for stage in ("resized", "edges"):
        (OUT / stage).mkdir(parents=True)
    with Pool(2) as pool:
        for _ in pool.imap_unordered(convert, sorted(PHOTOS.glob("*.jpg")), chunksize=16):
            pass
