"""Photographs of a bucket by boto3, a pool of processes, Pillow and Canny.

`boto3_pool.py BUCKET COUNT PROCESSES` does the keys photo/00000.jpg to photo/COUNT.jpg.
"""

import io
import sys
from functools import cache
from multiprocessing import Pool
from typing import Any

import boto3
import cv2
import numpy as np
from PIL import Image, ImageOps

BUCKET, COUNT, PROCESSES = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


@cache
def client() -> Any:  # one for each process
    return boto3.client("s3")


def convert(key: str) -> None:
    image = Image.open(io.BytesIO(client().get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    image.draft("RGB", (256, 256))  # not less than twice the result, which would be blurred
    small = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (128, 128))
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=95, subsampling=0)
    client().put_object(Bucket=BUCKET, Key=f"out/resized/{key}", Body=jpeg.getvalue())
    edges = cv2.Canny(np.asarray(small.convert("L")), 100, 200)
    png = cv2.imencode(".png", edges)[1].tobytes()
    client().put_object(Bucket=BUCKET, Key=f"out/edges/{key}.png", Body=png)


if __name__ == "__main__":
    with Pool(PROCESSES) as pool:
        for _ in pool.imap_unordered(convert, [f"photo/{n:05}.jpg" for n in range(COUNT)], 4):
            pass
