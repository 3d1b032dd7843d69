"""A resized picture keeps the detail of its file, and is the same on every machine."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage.metrics import structural_similarity

from imagemill_contract.recipe import Interpolation
from imagemill_worker.picture.resample import has_points_on_black
from imagemill_worker.picture.resize import resized
from imagemill_worker.stages.picture_stage import Picture
from imagemill_worker.stages.resize import products_of
from tests.helpers.jobs import ROOT
from tests.helpers.photographs import photograph
from tests.helpers.pictures import file_of, recipe

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
REFERENCES = (Image.Resampling.BOX, Image.Resampling.LANCZOS)
LEAST_SSIM = 0.985

# Vector instructions that libjpeg-turbo, OpenCV and numpy choose at run time.
NO_VECTORS = {
    "JSIMD_FORCENONE": "1",
    "OPENCV_CPU_DISABLE": "SSE4.1,SSE4.2,AVX,AVX2,FP16,FMA3",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
}
DIGESTS = """
import hashlib
from imagemill_contract.keys import Stage
from imagemill_worker.stages.picture_stages import product_of
from tests.helpers.photographs import cut, photograph
from tests.helpers.pictures import file_of, recipe

stars = file_of(photograph("hubble_deep_field.jpg"), "JPEG")
print(hashlib.sha256(product_of(Stage.RESIZE, stars, recipe(size=128)).body).hexdigest())
for seed in range(4):
    for size in (40, 64, 128, 300):
        small = product_of(Stage.RESIZE, cut(seed, scale=2), recipe(size=size)).body
        edges = [recipe(edge=edge) for edge in ("canny", "sobel", "line_art")]
        made = [product_of(Stage.EDGE, small, asked) for asked in edges]
        bodies = (small, *(product.body for product in made))
        print(*(hashlib.sha256(body).hexdigest() for body in bodies))
        print(*(product.fingerprint for product in made))
"""


def brightness(image: NDArray[np.float64]) -> NDArray[np.float64]:
    return image @ (0.299, 0.587, 0.114)


def reference(image: Image.Image, size: int, resample: Image.Resampling) -> NDArray[np.float64]:
    """The brightness of the middle square, resampled in floating point."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    bands = [
        np.asarray(
            band.convert("F").resize((size, size), resample, (left, top, left + side, top + side))
        )
        for band in image.split()
    ]
    return brightness(np.dstack(bands).astype(float))


@pytest.mark.parametrize("pixels_for_one", [1.5, 1.56, 1.8, 2.0, 2.5, 2.95])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_detail_is_kept_at_every_reduction(name: str, pixels_for_one: float) -> None:
    """`pixels_for_one` is what half the file's size would give for a pixel of the result."""
    body = file_of(photograph(name), "JPEG", quality=92)
    with Image.open(io.BytesIO(body)) as file:
        full = file.convert("RGB")
    size = int(min(full.size) / 2 / pixels_for_one)
    ours = brightness(resized(body, recipe(size=size)).astype(float))
    for resample in REFERENCES:
        similarity = structural_similarity(ours, reference(full, size, resample), data_range=255)
        assert similarity >= LEAST_SSIM


STARS = "hubble_deep_field.jpg"
LEAST_SSIM_OF_STARS = 0.975  # the references themselves differ by .02
LEAST_SSIM_OF_STAR_FILE = 0.97


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [90, 128, 250, 275])
def test_stars_keep_their_light(size: int, kind: str) -> None:
    body = file_of(photograph(STARS), kind, **({"quality": 92} if kind == "JPEG" else {}))
    with Image.open(io.BytesIO(body)) as file:
        full = file.convert("RGB")
    ours = resized(body, recipe(size=size))
    assert has_points_on_black(ours)
    for resample in REFERENCES:
        wanted = reference(full, size, resample)
        similarity = structural_similarity(brightness(ours.astype(float)), wanted, data_range=255)
        assert similarity >= LEAST_SSIM_OF_STARS


def test_file_of_stars_keeps_their_light() -> None:
    large = ImageOps.fit(photograph(STARS), (2448, 1632), Image.Resampling.LANCZOS)
    (product,) = products_of(Picture(file_of(large, "JPEG", quality=91)), [recipe()], alone=True)
    with Image.open(io.BytesIO(product.body)) as file:
        ours = brightness(np.asarray(file).astype(float))
    for resample in REFERENCES:
        wanted = reference(large, 128, resample)
        assert structural_similarity(ours, wanted, data_range=255) >= LEAST_SSIM_OF_STAR_FILE


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_by_day_have_no_points_on_black(name: str) -> None:
    pixels = np.asarray(photograph(name).resize((128, 128)))
    assert not has_points_on_black(pixels)
    assert not has_points_on_black(pixels[:, :, 0] // 8)  # nor do those of the same by night
    assert not has_points_on_black(np.zeros((128, 128), np.uint8))


def digests(more: dict[str, str]) -> str:
    path = os.pathsep.join([str(ROOT), str(ROOT / "contract"), str(ROOT / "batch_worker")])
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        env={**os.environ, "PYTHONPATH": path, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_results_do_not_depend_on_the_vector_instructions_of_the_machine() -> None:
    usual = digests({})
    assert len(usual.split()) == 1 + 4 * 4 * (1 + 2 * 3)
    assert digests(NO_VECTORS) == usual


FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "linear": Image.Resampling.BILINEAR,
    "cubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("interpolation", [name for name in Interpolation if name != "auto"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_named_interpolation_is_applied_to_the_whole_picture(
    interpolation: Interpolation, kind: str
) -> None:
    body = file_of(photograph("chelsea.png"), kind)
    with Image.open(io.BytesIO(body)) as image:
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        wanted = np.asarray(image.resize((40, 40), FILTERS[interpolation], box))
    found = resized(body, recipe(size=40, interpolation=str(interpolation)))
    assert np.array_equal(found, wanted)


def test_nearest_keeps_the_values_of_a_label_map() -> None:
    labels = np.random.default_rng(1).choice(np.array([0, 17, 200], np.uint8), (300, 400))
    body = file_of(Image.fromarray(labels), "PNG")
    fields = {"size": 64, "keep_grey": True, "mode": "stretch"}
    assert set(np.unique(resized(body, recipe(**fields, interpolation="nearest")))) == {0, 17, 200}
    assert len(np.unique(resized(body, recipe(**fields)))) > 3
