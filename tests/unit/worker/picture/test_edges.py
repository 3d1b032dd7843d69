"""Edges: where they lie, how strong they are, in which file; and the sums over their picture."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import EdgeMethod, ImageFormat, Recipe, ResizeMode
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.edge_methods import canny, edges_of, line_art, with_contrast
from imagemill_worker.picture.edges import (
    edge_map,
    encoded_edges,
    pixel_sums,
    read_picture,
)
from imagemill_worker.stages.picture_stages import product_of
from tests.helpers.pictures import Array, file_of, photograph, recipe

GREY = np.asarray(photograph().convert("L"))
METHODS = [method for method in EdgeMethod if method is not EdgeMethod.NONE]


def of(method: EdgeMethod) -> Recipe:
    return Recipe(edge=method)


@pytest.mark.parametrize("method", METHODS)
def test_edges_lie_where_the_picture_changes(method: EdgeMethod) -> None:
    grey = np.zeros((40, 40), np.uint8)
    grey[:, 20:] = 200
    edges = edges_of(np.dstack([grey] * 3) if method is EdgeMethod.LINE_ART else grey, of(method))
    assert (edges.shape, edges.dtype) == (grey.shape, np.dtype(np.uint8))
    background = 255 if method is EdgeMethod.LINE_ART else 0
    assert (edges[:, :17] == background).all()
    assert (edges[:, 23:] == background).all()
    assert (edges[:, 18:22] != background).any(axis=1).all()


@pytest.mark.parametrize("method", METHODS)
def test_even_picture_has_no_edges(method: EdgeMethod) -> None:
    even = Image.new("RGB", (30, 20), (90, 20, 140))
    edges = edge_map(file_of(even, "PNG"), recipe(edge=str(method)))
    assert (edges == (255 if method is EdgeMethod.LINE_ART else 0)).all()


def test_canny_says_yes_or_no() -> None:
    edges = edges_of(np.asarray(photograph().convert("L")), of(EdgeMethod.CANNY))
    assert set(np.unique(edges)) == {0, 255}


@pytest.mark.parametrize(("low", "high"), [(100, 200), (30, 400)])
def test_fixed_thresholds_without_blur_give_the_edges_of_opencv(low: int, high: int) -> None:
    recipe = Recipe(blur=0.0, canny_low=low, canny_high=high)
    assert np.array_equal(edges_of(GREY, recipe), cv2.Canny(GREY, low, high))


def test_blur_comes_before_the_thresholds() -> None:
    blurred = cv2.GaussianBlur(GREY, (0, 0), 2.5)
    found = edges_of(GREY, Recipe(blur=2.5, canny_low=20, canny_high=60))
    assert np.array_equal(found, cv2.Canny(blurred, 20, 60))


def test_lower_threshold_follows_the_upper_one() -> None:
    assert np.array_equal(canny(GREY, 1.0, 0, 200), canny(GREY, 1.0, 80, 200))


@pytest.mark.parametrize("contrast", [0.1, 0.3, 1.0])
def test_thresholds_follow_the_contrast_of_the_picture(contrast: float) -> None:
    soft = (128 + (GREY.astype(float) - 128) * contrast).astype(np.uint8)
    assert 0.02 <= (edges_of(soft, Recipe()) > 0).mean() <= 0.2


def test_upper_threshold_is_the_gradient_that_a_tenth_of_the_picture_exceeds() -> None:
    across, down = (
        cv2.Sobel(GREY, cv2.CV_16S, *axis, borderType=cv2.BORDER_REPLICATE)
        for axis in ((1, 0), (0, 1))
    )
    lengths = np.sort((np.abs(across) + np.abs(down)).ravel())
    high = int(lengths[int(lengths.size * 0.9)])
    assert 24 < high < 2040
    assert np.array_equal(edges_of(GREY, Recipe(blur=0.0)), canny(GREY, 0.0, 0, high))


def test_noise_is_no_edge() -> None:
    noise = np.random.default_rng(3).integers(126, 131, (90, 90), dtype=np.uint8)
    assert not edges_of(noise, Recipe()).any()


def test_contrast_makes_strong_lines_black_and_speckle_white() -> None:
    lines = line_art(cv2.cvtColor(np.asarray(photograph()), cv2.COLOR_RGB2BGR))
    ink, shown = 255 - lines.astype(int), 255 - with_contrast(lines).astype(int)
    assert (shown[ink <= np.median(ink)] == 0).all()
    assert (shown[ink > np.percentile(ink, 98)] == 255).all()
    order = np.argsort(ink, axis=None)
    assert (np.diff(shown.ravel()[order]) >= 0).all()


def test_contrast_makes_no_lines_of_what_is_nearly_even() -> None:
    nearly = np.random.default_rng(3).integers(252, 256, (90, 90), dtype=np.uint8)
    assert with_contrast(nearly).min() > 200


def ink_of(recipe: Recipe, sides: tuple[int, int]) -> tuple[Array, Array]:
    """Of a photograph's edge map: the ink within its area, and that in its padding."""
    picture = product_of(Stage.RESIZE, file_of(photograph().resize(sides), "PNG"), recipe)
    edges = edge_map(picture.body, recipe, picture.area)
    ink = cv2.bitwise_not(edges) if recipe.edge is EdgeMethod.LINE_ART else edges
    left, top, width, height = picture.area or (0, 0, *ink.shape[::-1])
    inside = ink[top : top + height, left : left + width].copy()
    ink[top : top + height, left : left + width] = 0
    return inside, ink


@pytest.mark.parametrize("background", ["#ffffff", "#000000", "#ff8000"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mode", ResizeMode)
@pytest.mark.parametrize("sides", [(250, 190), (90, 250), (128, 128)])
def test_padding_has_neither_edges_nor_a_frame(
    mode: ResizeMode, method: EdgeMethod, background: str, sides: tuple[int, int]
) -> None:
    padded = Recipe(size=96, mode=mode, edge=method, background=background, quality=80)
    bare = replace(padded, mode=ResizeMode.KEEP_RATIO_LARGEST)
    if mode is not ResizeMode.BORDER:
        bare = padded
    inside, outside = ink_of(padded, sides)
    alone, _ = ink_of(bare, sides)
    assert not outside.any()
    assert inside.shape == alone.shape
    for line in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert (inside[line] > 60).mean() < (alone[line] > 60).mean() + 0.2


@pytest.mark.parametrize("method", METHODS)
def test_edges_of_a_padded_picture_are_those_of_the_picture(method: EdgeMethod) -> None:
    padded = Recipe(size=96, mode=ResizeMode.BORDER, format=ImageFormat.PNG, edge=method)
    inside, _ = ink_of(padded, (250, 190))
    alone, _ = ink_of(replace(padded, mode=ResizeMode.KEEP_RATIO_LARGEST), (250, 190))
    assert inside.shape == (73, 96)
    assert np.array_equal(inside, alone)


def test_sobel_is_the_length_of_the_gradient_cut_at_white() -> None:
    across, down = np.meshgrid(np.arange(60), np.arange(60))
    ramp = (2 * across + down).astype(np.uint8)  # 2 to the right, 1 down: the kernel weighs by 8
    edges = edges_of(ramp, of(EdgeMethod.SOBEL))
    assert (edges[1:-1, 1:-1] == round(8 * 5**0.5)).all()
    step = np.zeros((9, 9), np.uint8)
    step[:, 5:] = 255
    assert edges_of(step, of(EdgeMethod.SOBEL))[4, 4] == 255


def test_line_art_is_dark_by_how_much_a_neighbour_is_brighter() -> None:
    image = np.full((9, 9, 3), 100, np.uint8)
    image[4, 4] = 130
    edges = edges_of(image, of(EdgeMethod.LINE_ART))
    ring = np.zeros((9, 9), bool)
    ring[3:6, 3:6] = True
    ring[4, 4] = False
    assert (edges[ring] == 255 - 30).all()
    assert (edges[~ring] == 255).all()


def test_picture_is_not_changed_by_its_edges() -> None:
    body = file_of(photograph(), "PNG")
    for method in METHODS:
        image = read_picture(body, method)
        before = image.copy()
        edges_of(image, of(method))
        assert np.array_equal(image, before)


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        (EdgeMethod.CANNY, (190, 250)),
        (EdgeMethod.SOBEL, (190, 250)),
        (EdgeMethod.LINE_ART, (190, 250, 3)),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_colour_is_read_only_where_it_is_needed(
    method: EdgeMethod, shape: tuple[int, ...], mode: str
) -> None:
    assert read_picture(file_of(photograph().convert(mode), "PNG"), method).shape == shape


@pytest.mark.parametrize("method", METHODS)
def test_file_is_a_png_of_one_channel_or_of_three_equal_ones(method: EdgeMethod) -> None:
    body = file_of(photograph(), "PNG")
    one = edge_map(body, recipe(edge=str(method)))
    three = edge_map(body, recipe(edge=str(method), edge_three_channels=True))
    assert np.array_equal(three, np.dstack([one] * 3))
    for edges, mode in ((one, "L"), (three, "RGB")):
        with Image.open(io.BytesIO(encoded_edges(edges))) as image:
            assert (image.format, image.mode) == ("PNG", mode)
            assert np.array_equal(np.asarray(image), edges)


@pytest.mark.parametrize("body", [b"no picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" * 20])
def test_file_that_the_resize_stage_did_not_write_is_corrupt(body: bytes) -> None:
    for read in (lambda: edge_map(body, recipe()), lambda: pixel_sums(body)):
        with pytest.raises(PictureError) as caught:
            read()
        assert caught.value.reason is Reason.CORRUPT


@pytest.mark.parametrize("shape", [(1, 1), (190, 250), (3, 4000)])
def test_sums_are_exact_and_in_the_order_red_green_blue(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    pixels[0, 0] = (255, 0, 128)
    sums = pixel_sums(bytes(cv2.imencode(".png", pixels[:, :, ::-1])[1]))
    values = pixels.reshape(-1, 3).astype(int)
    assert sums.pixels == shape[0] * shape[1]
    assert sums.sums == tuple(values.sum(0).tolist())
    assert sums.squares == tuple((values**2).sum(0).tolist())


@pytest.mark.parametrize("values", [(255, 255, 255), (0, 1, 254)])
def test_sums_of_many_pixels_are_exact(values: tuple[int, int, int]) -> None:
    pixels = np.full((4099, 5003, 3), values, np.uint8)
    pixels[::7, ::3] = 255 - pixels[::7, ::3]
    sums = pixel_sums(bytes(cv2.imencode(".png", pixels[:, :, ::-1])[1]))
    counts = [np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(pixels, 2, 0)]
    assert sums.sums == tuple(int((count * np.arange(256)).sum()) for count in counts)
    assert sums.squares == tuple(int((count * np.arange(256) ** 2).sum()) for count in counts)


def test_grey_counts_as_three_equal_channels() -> None:
    grey = photograph().convert("L")
    sums = pixel_sums(file_of(grey, "PNG"))
    total = int(np.asarray(grey).astype(int).sum())
    assert sums.sums == (total, total, total)
