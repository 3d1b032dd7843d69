"""Which sizes a recipe allows, decided before a pixel is decoded."""

from __future__ import annotations

import pytest

from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.picture.geometry import placement
from imagemill_worker.picture.size_limits import check_memory, checked_placement
from tests.helpers.pictures import recipe

HALF_A_GIBIBYTE = 512 << 20


def refusal(width: int, height: int, orientation: int = 1, **fields: object) -> PictureError:
    with pytest.raises(PictureError) as caught:
        checked_placement(width, height, orientation, recipe(**fields))
    assert caught.value.detail.endswith(".")
    return caught.value


@pytest.mark.parametrize("orientation", range(1, 9))
def test_placement_is_that_of_the_upright_picture(orientation: int) -> None:
    wanted = recipe(mode="keep_ratio", size=60)
    sides = (300, 200) if orientation < 5 else (200, 300)
    assert checked_placement(300, 200, orientation, wanted) == placement(*sides, wanted)


@pytest.mark.parametrize("sides", [(0, 5), (5, 0), (0, 0)])
def test_picture_without_pixels_is_corrupt(sides: tuple[int, int]) -> None:
    assert refusal(*sides).reason is Reason.CORRUPT


def test_as_many_pixels_as_are_allowed_are_not_too_many() -> None:
    checked_placement(50, 20, 1, recipe(max_pixels=1000))
    error = refusal(50, 21, max_pixels=1000)
    assert error.reason is Reason.TOO_MANY_PIXELS
    assert "50 x 21 pixels; 1000 are allowed" in error.detail


@pytest.mark.parametrize(
    ("image_format", "longest"), [("jpg", 65_500), ("webp", 16_383), ("avif", 16_384)]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_no_side_is_longer_than_the_format_can_hold(
    image_format: str, longest: int, orientation: int
) -> None:
    checked_placement(longest, 1, orientation, recipe(mode="no", format=image_format))
    error = refusal(longest + 1, 1, orientation, mode="no", format=image_format)
    assert error.reason is Reason.TOO_MANY_PIXELS
    assert f"a {image_format} file" in error.detail


def test_picture_that_would_grow_beyond_its_format_is_too_small() -> None:
    error = refusal(2000, 1, mode="keep_ratio", size=64)
    assert error.reason is Reason.TOO_SMALL
    assert "2000 x 1 pixels would become 128000 x 64" in error.detail


def test_picture_grows_up_to_the_pixels_of_a_square_or_of_the_limit() -> None:
    checked_placement(1, 1, 1, recipe(size=2000, max_pixels=100))
    checked_placement(10, 1, 1, recipe(mode="keep_ratio", size=10, max_pixels=1000))
    error = refusal(11, 1, mode="keep_ratio", size=10, max_pixels=1000)
    assert error.reason is Reason.TOO_SMALL


def test_picture_of_much_memory_is_put_off_until_it_is_alone() -> None:
    check_memory(HALF_A_GIBIBYTE, alone=False)
    check_memory(HALF_A_GIBIBYTE + 1, alone=True)
    with pytest.raises(AloneError):
        check_memory(HALF_A_GIBIBYTE + 1, alone=False)
