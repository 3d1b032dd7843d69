"""Does the fast path keep the picture's detail? SSIM of the final file against references.

References are computed in floating point from the full decode, by area and by Lanczos. Compared is
the brightness of the decoded output file. Also measures what converting an embedded profile costs.
"""

from __future__ import annotations

import io
import statistics
import time

import numpy as np
import simplejpeg
from PIL import Image, ImageCms
from skimage.metrics import structural_similarity

from benchmarks.photographs import CLASSES, as_file, photographs
from imagemill_contract.recipe import Recipe
from imagemill_worker.codecs.encode import encoded
from imagemill_worker.picture.resize import resized

SIZE = 128
FILTERS = {"area": Image.Resampling.BOX, "lanczos": Image.Resampling.LANCZOS}


def reference(body: bytes, resample: Image.Resampling) -> np.ndarray:
    full = simplejpeg.decode_jpeg(body, "RGB")
    height, width = full.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    bands = [
        Image.fromarray(full[:, :, band].astype(np.float32)).resize((SIZE, SIZE), resample, box)
        for band in range(3)
    ]
    clipped: np.ndarray = np.clip(np.rint(np.dstack(list(map(np.asarray, bands)))), 0, 255)
    return clipped


def brightness(image: np.ndarray) -> np.ndarray:
    return image.astype(float) @ (0.299, 0.587, 0.114)


def similarity(body: bytes, resample: Image.Resampling) -> float:
    recipe = Recipe()
    file = encoded(resized(body, recipe), recipe.format, recipe.quality)
    ours = brightness(np.asarray(Image.open(io.BytesIO(file))))
    return float(structural_similarity(ours, brightness(reference(body, resample)), data_range=255))


def profile_cost() -> tuple[float, float, float]:
    """Milliseconds for a picture without a profile, with sRGB, and with another profile."""
    photo = next(photo for photo in photographs() if photo.size_class == "2mp")
    image = Image.open(photo.path).convert("RGB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp ").replace(b"gXYZ", b"rXYZ").replace(b"tmp ", b"gXYZ")
    bodies = [as_file(image, "JPEG", icc_profile=bytes(p)) for p in (b"", srgb, swapped)]
    times: list[list[float]] = [[], [], []]
    for _ in range(60):
        for taken, body in zip(times, bodies, strict=True):
            began = time.perf_counter()
            resized(body, Recipe())
            taken.append(1000 * (time.perf_counter() - began))
    plain, same, converted = map(statistics.median, times)
    return plain, same, converted


def main() -> None:
    print("| class | " + " | ".join(f"SSIM, {name}" for name in FILTERS) + " | least |")
    print("|---|---|---|---|")
    for size_class in CLASSES:
        bodies = [photo.read() for photo in photographs() if photo.size_class == size_class]
        found = [[similarity(body, f) for body in bodies] for f in FILTERS.values()]
        means = " | ".join(f"{statistics.mean(values):.4f}" for values in found)
        print(f"| {size_class} | {means} | {min(map(min, found)):.4f} |")
    plain, same, converted = profile_cost()
    print(f"\nms: no profile {plain:.2f}, sRGB {same:.2f}, another one {converted:.2f}")


if __name__ == "__main__":
    main()
