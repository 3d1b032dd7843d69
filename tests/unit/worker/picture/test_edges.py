"""Edges: where they lie, how strong they are, in which file; and the sums over their picture."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import EdgeMethod
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.edges import (
    edge_map,
    edges_of,
    encoded_edges,
    pixel_sums,
    read_picture,
)
from tests.helpers.pictures import file_of, photograph, recipe


@pytest.mark.parametrize("method", EdgeMethod)
def test_edges_lie_where_the_picture_changes(method: EdgeMethod) -> None:
    grey = np.zeros((40, 40), np.uint8)
    grey[:, 20:] = 200
    edges = edges_of(np.dstack([grey] * 3) if method is EdgeMethod.LINE_ART else grey, method)
    assert (edges.shape, edges.dtype) == (grey.shape, np.dtype(np.uint8))
    background = 255 if method is EdgeMethod.LINE_ART else 0
    assert (edges[:, :17] == background).all()
    assert (edges[:, 23:] == background).all()
    assert (edges[:, 18:22] != background).any(axis=1).all()


@pytest.mark.parametrize("method", EdgeMethod)
def test_even_picture_has_no_edges(method: EdgeMethod) -> None:
    even = Image.new("RGB", (30, 20), (90, 20, 140))
    edges = edge_map(file_of(even, "PNG"), recipe(edge=str(method)))
    assert (edges == (255 if method is EdgeMethod.LINE_ART else 0)).all()


def test_canny_says_yes_or_no() -> None:
    edges = edges_of(np.asarray(photograph().convert("L")), EdgeMethod.CANNY)
    assert set(np.unique(edges)) == {0, 255}


def test_sobel_is_the_length_of_the_gradient_cut_at_white() -> None:
    across, down = np.meshgrid(np.arange(60), np.arange(60))
    ramp = (2 * across + down).astype(np.uint8)  # 2 to the right, 1 down: the kernel weighs by 8
    edges = edges_of(ramp, EdgeMethod.SOBEL)
    assert (edges[1:-1, 1:-1] == round(8 * 5**0.5)).all()
    step = np.zeros((9, 9), np.uint8)
    step[:, 5:] = 255
    assert edges_of(step, EdgeMethod.SOBEL)[4, 4] == 255


def test_line_art_is_dark_by_how_much_a_neighbour_is_brighter() -> None:
    image = np.full((9, 9, 3), 100, np.uint8)
    image[4, 4] = 130
    edges = edges_of(image, EdgeMethod.LINE_ART)
    ring = np.zeros((9, 9), bool)
    ring[3:6, 3:6] = True
    ring[4, 4] = False
    assert (edges[ring] == 255 - 30).all()
    assert (edges[~ring] == 255).all()


def test_picture_is_not_changed_by_its_edges() -> None:
    body = file_of(photograph(), "PNG")
    for method in EdgeMethod:
        image = read_picture(body, method)
        before = image.copy()
        edges_of(image, method)
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


@pytest.mark.parametrize("method", EdgeMethod)
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


def test_grey_counts_as_three_equal_channels() -> None:
    grey = photograph().convert("L")
    sums = pixel_sums(file_of(grey, "PNG"))
    total = int(np.asarray(grey).astype(int).sum())
    assert sums.sums == (total, total, total)
