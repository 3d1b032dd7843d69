"""Several sizes are made from one decode, and none is worse than alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Reason
from imagemill_worker.codecs import decode_jpeg as jpeg_decoder
from imagemill_worker.errors import PictureError
from imagemill_worker.picture import resize
from imagemill_worker.picture.resize import padded_in_sizes, resized
from imagemill_worker.pixels import Pixels
from imagemill_worker.stages.picture_stage import Picture
from imagemill_worker.stages.picture_stages import product_of, products_of
from tests.helpers.photographs import photograph
from tests.helpers.pictures import file_of, jpeg, recipe

SIZES = [40, 64, 200]
LEAST_SSIM = 0.985


def brightness(pixels: Pixels) -> np.ndarray:
    return pixels.astype(float) @ (0.299, 0.587, 0.114)


def of_sizes(body: bytes, sizes: list[int], **fields: object) -> list[Pixels]:
    """The pixels of each size, the smallest first."""
    recipes = recipe(sizes=sizes, **fields).in_sizes()
    return [done.pixels for done in padded_in_sizes(body, recipes)][::-1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("name", ["astronaut.png", "motorcycle_left.png"])
def test_largest_is_that_of_a_run_alone_and_no_other_has_less_detail(name: str, kind: str) -> None:
    body = file_of(photograph(name), kind)
    found = of_sizes(body, SIZES)
    assert np.array_equal(found[-1], resized(body, recipe(size=SIZES[-1])))
    with Image.open(io.BytesIO(body)) as image:
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        for pixels, size in zip(found, SIZES, strict=True):
            wanted = np.asarray(image.resize((size, size), Image.Resampling.BOX, box))
            near = structural_similarity(brightness(pixels), brightness(wanted), data_range=255)
            assert near >= LEAST_SSIM


def test_one_file_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def counted(*arguments: object) -> object:
        decoded.append(arguments)
        return jpeg_decoder.decode_jpeg(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(resize, "decode_jpeg", counted)
    assert [pixels.shape for pixels in of_sizes(jpeg(800, 600), SIZES)] == [
        (size, size, 3) for size in SIZES
    ]
    assert len(decoded) == 1


@pytest.mark.parametrize(
    ("fields", "shapes"),
    [
        ({"mode": "keep_ratio"}, [(40, 80), (64, 128), (200, 400)]),
        ({"mode": "border"}, [(40, 40), (64, 64), (200, 200)]),
        (
            {"mode": "keep_ratio_largest", "resize_only_if_bigger": True},
            [(20, 40), (32, 64), (60, 120)],
        ),
        ({"interpolation": "lanczos"}, [(40, 40), (64, 64), (200, 200)]),
        ({"anchor": "top_left"}, [(40, 40), (64, 64), (200, 200)]),
    ],
)
def test_each_size_has_the_shape_of_its_mode(
    fields: dict[str, object], shapes: list[tuple[int, int]]
) -> None:
    found = of_sizes(jpeg(120, 60), SIZES, **fields)
    assert [pixels.shape[:2] for pixels in found] == shapes


@pytest.mark.parametrize("fields", [{"interpolation": "area"}, {"anchor": "top_left"}])
def test_named_filters_give_each_size_as_alone(fields: dict[str, object]) -> None:
    body = jpeg(500, 300)
    for pixels, size in zip(of_sizes(body, SIZES, **fields), SIZES, strict=True):
        assert np.array_equal(pixels, resized(body, recipe(size=size, **fields)))


def test_picture_that_cannot_have_one_of_the_sizes_has_none() -> None:
    recipes = recipe(sizes=[8, 64], mode="keep_ratio").in_sizes()
    with pytest.raises(PictureError) as caught:
        products_of(Stage.RESIZE, [Picture(jpeg(2000, 1))], recipes)
    assert caught.value.reason is Reason.TOO_SMALL


def test_edges_of_each_size_are_those_of_its_file() -> None:
    recipes = recipe(sizes=[32, 96], mode="border").in_sizes()
    small = products_of(Stage.RESIZE, [Picture(jpeg(200, 100))], recipes)
    edges = products_of(Stage.EDGE, [Picture(one.body, one.area) for one in small], recipes)
    assert [(one.width, one.area) for one in small] == [(96, (0, 24, 96, 48)), (32, (0, 8, 32, 16))]
    for picture, found, of_size in zip(small, edges, recipes, strict=True):
        assert found == product_of(Stage.EDGE, picture.body, of_size, picture.area)
