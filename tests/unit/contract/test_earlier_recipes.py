"""What recipes of earlier releases did, in the fields of today."""

from __future__ import annotations

import pytest

from imagemill_contract.errors import RecipeError
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.earlier import as_of_today


def test_canny_had_fixed_thresholds() -> None:
    recipe = Recipe.from_document(as_of_today({"size": 64}))
    assert recipe == Recipe(size=64, blur=0.0, canny_low=100, canny_high=200)


@pytest.mark.parametrize("edge", ["sobel", "line_art"])
def test_other_methods_have_not_changed(edge: str) -> None:
    assert as_of_today({"edge": edge}) == {"edge": edge}


def test_frame_of_the_padding_can_no_longer_be_had() -> None:
    with pytest.raises(RecipeError, match="edges_of_padding"):
        Recipe.from_document(as_of_today({"edge": "sobel", "mode": "border"}))


@pytest.mark.parametrize("mode", ["border", "center_crop"])
def test_recipe_of_today_is_left_as_it_is(mode: str) -> None:
    document = Recipe.from_document({"mode": mode}).to_document()
    assert as_of_today(document) == document
