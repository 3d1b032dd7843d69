"""Does the fast path keep the picture's detail? SSIM of the final file against references.

References are computed in floating point from the full decode, by area and by Lanczos. Compared is
the brightness of the decoded output file. All sets of photographs are compared that can be had
here, re-encoded in classes of size, and those of cameras also unmodified, by subsampling. Last
comes what converting an embedded profile costs.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image, ImageCms
from skimage.metrics import structural_similarity

from benchmarks.bars import say
from benchmarks.photographs import CLASSES, as_file, photographs, sets
from benchmarks.subsampling import unmodified_classes
from imagemill_contract.recipe import Recipe
from imagemill_worker.codecs.jpeg_header import read_jpeg_header
from imagemill_worker.picture.orientation import upright
from imagemill_worker.picture.resize import resized
from imagemill_worker.stages.picture_stage import Picture
from imagemill_worker.stages.resize import products_of

SIZE = 128
FILTERS = {"area": Image.Resampling.BOX, "Lanczos": Image.Resampling.LANCZOS}
LEAST_MEAN, LEAST = 0.98, 0.97


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
    return upright(clipped, read_jpeg_header(body).orientation)


def brightness(image: np.ndarray) -> np.ndarray:
    return image.astype(float) @ (0.299, 0.587, 0.114)


def similarities(body: bytes) -> list[float]:
    """SSIM of the file that the recipe gives, against each reference."""
    recipe = Recipe()
    (product,) = products_of(Picture(body), [recipe], alone=True)
    file = product.body
    ours = brightness(np.asarray(Image.open(io.BytesIO(file)).convert("RGB")))
    references = (brightness(reference(body, resample)) for resample in FILTERS.values())
    return [float(structural_similarity(ours, one, data_range=255)) for one in references]


@dataclass(frozen=True)
class Fidelity:
    """Mean SSIM of a class against each reference, and the least of any picture."""

    name: str
    files: int
    means: Sequence[float]
    least: float

    def row(self) -> str:
        values = (*self.means, self.least)
        cells = " | ".join(f"{value:.4f}" for value in values)
        return f"| {self.name} | {self.files} | {cells} |"


def fidelity(name: str, bodies: Sequence[bytes]) -> Fidelity:
    found = list(map(similarities, bodies))
    means = [statistics.mean(values) for values in zip(*found, strict=True)]
    return Fidelity(name, len(bodies), means, min(map(min, found)))


def classes() -> Iterator[tuple[str, list[bytes]]]:
    """Names of classes, and their files."""
    for set_name in sets():
        for size in CLASSES:
            photos = [photo for photo in photographs(set_name) if photo.size_class == size]
            yield f"{size}, {set_name}", [photo.read() for photo in photos]
    for name, paths in unmodified_classes().items():
        yield f"{name}, unmodified", [path.read_bytes() for path in paths]


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
            began = time.process_time()
            resized(body, Recipe())
            taken.append(1000 * (time.process_time() - began))
    plain, same, converted = map(statistics.median, times)
    return plain, same, converted


def main() -> None:
    print("| class | files | SSIM, area | SSIM, Lanczos | least |\n|---|---|---|---|---|")
    found = []
    for name, bodies in classes():
        found.append(fidelity(name, bodies))
        print(found[-1].row(), flush=True)
    print()
    say("least mean SSIM of a class", min(min(one.means) for one in found), at_least=LEAST_MEAN)
    say("least SSIM of a picture", min(one.least for one in found), at_least=LEAST)
    plain, same, converted = profile_cost()
    print(f"\nms: no profile {plain:.2f}, sRGB {same:.2f}, another one {converted:.2f}")


if __name__ == "__main__":
    main()
