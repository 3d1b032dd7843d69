"""What a stage makes of the bytes of one file."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.recipe import Output
from imagemill_dataset.shards import PixelSums
from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.picture.edges import pixel_sums
from imagemill_worker.stages.picture_stages import product_of
from tests.helpers.jobs import ROOT
from tests.helpers.pictures import jpeg, png_declaring, recipe

LIBRARIES = """
import sys
from imagemill_contract.keys import Stage
from imagemill_worker.stages.picture_stages import import_libraries
import_libraries(Stage(sys.argv[1]))
print(*sorted({"PIL", "cv2", "simplejpeg"} & set(sys.modules)))
"""


def test_product_has_the_size_of_its_picture() -> None:
    product = product_of(Stage.RESIZE, jpeg(), recipe(mode="keep_ratio", size=60))
    with Image.open(io.BytesIO(product.body)) as image:
        assert image.size == (product.width, product.height) == (79, 60)
    assert product.pixels == PixelSums()
    edges = product_of(Stage.EDGE, product.body, recipe())
    assert (edges.width, edges.height) == (79, 60)


def test_edges_are_a_png_of_one_channel_or_three() -> None:
    small = product_of(Stage.RESIZE, jpeg(), recipe()).body
    for three, mode in ((False, "L"), (True, "RGB")):
        product = product_of(Stage.EDGE, small, recipe(edge_three_channels=three))
        with Image.open(io.BytesIO(product.body)) as image:
            assert (image.format, image.mode, image.size) == ("PNG", mode, (128, 128))


@pytest.mark.parametrize("output", Output)
def test_pixels_are_summed_for_datasets_only(output: Output) -> None:
    small = product_of(Stage.RESIZE, jpeg(), recipe()).body
    product = product_of(Stage.EDGE, small, recipe(output=str(output)))
    assert product.pixels == (PixelSums() if output is Output.FILES else pixel_sums(small))


def test_same_file_and_recipe_give_the_same_bytes() -> None:
    for stage in stages_of(recipe(more_stages=["sharpness"])):
        first, second = (product_of(stage, jpeg(), recipe()) for _ in range(2))
        assert first == second
        assert np.frombuffer(first.body, np.uint8).size > 0


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.MODEL])
def test_file_that_is_no_picture_is_rejected(stage: Stage) -> None:
    with pytest.raises(PictureError):
        product_of(stage, b"no picture", recipe())


def test_a_blurred_picture_is_less_sharp_wherever_it_lies() -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2)
    padded = cv2.copyMakeBorder(sharp, 8, 8, 0, 0, cv2.BORDER_CONSTANT, value=255)

    def sharpness(pixels: np.ndarray, area: tuple[int, int, int, int] | None = None) -> float:
        _, body = cv2.imencode(".png", pixels)
        product = product_of(Stage.SHARPNESS, bytes(body), recipe(), area)
        return float(json.loads(product.body)["sharpness"])

    assert sharpness(blurred) < sharpness(sharp) / 100
    assert sharpness(np.full((9, 9), 7, np.uint8)) == 0
    assert sharpness(padded, (0, 8, 64, 48)) == sharpness(sharp) != sharpness(padded)


def test_picture_of_much_memory_is_done_alone_only() -> None:
    with pytest.raises(AloneError):
        product_of(Stage.RESIZE, png_declaring(12_000, 12_000), recipe(), alone=False)


@pytest.mark.parametrize(("stage", "libraries"), [("resize", "PIL simplejpeg"), ("edge", "cv2")])
def test_stage_imports_no_library_of_the_other(stage: str, libraries: str) -> None:
    path = f"{ROOT / 'contract'}:{ROOT / 'batch_worker'}"
    done = subprocess.run(
        [sys.executable, "-c", LIBRARIES, stage],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == libraries
