"""Columns: their names and types, and the values that rows have for them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.documents import SourceObject
from imagemill_contract.errors import RecipeError
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import MOST_BYTES, ColumnType, values_in

COLUMNS = (
    ("caption", ColumnType.TEXT),
    ("score", ColumnType.FLOAT),
    ("seen", ColumnType.BOOL),
    ("year", ColumnType.INT),
)
VALUES = st.tuples(
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
    st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
)


def test_list_and_object_of_columns_are_one_recipe() -> None:
    listed = Recipe.from_document({"columns": ["year:int", "caption"]})
    assert listed == Recipe.from_document({"columns": {"caption": "text", "year": "int"}})
    assert Recipe.from_document(listed.to_document()) == listed


@pytest.mark.parametrize("columns", ["caption", ["width"], ["Year"], {"a": "date"}, [1], {"a": 1}])
def test_name_that_samples_have_and_unknown_type_are_refused(columns: object) -> None:
    with pytest.raises(RecipeError, match=r"recipe\.columns: .* is not allowed"):
        Recipe.from_document({"columns": columns})


@given(VALUES)
def test_values_are_the_same_from_a_row_and_in_a_document(values: tuple[object, ...]) -> None:
    row = dict(zip((name for name, _ in COLUMNS), values, strict=True))
    found = values_in(row, COLUMNS)
    assert found == values
    item = SourceObject("a.jpg", "e", 1, found)
    assert SourceObject.from_row(json.loads(json.dumps(item.to_row()))) == item


def test_texts_of_a_table_become_values_of_their_type() -> None:
    row: dict[str, object] = {"caption": "7", "score": "0.5", "seen": "yes", "year": "2024"}
    assert values_in(row, COLUMNS) == ("7", 0.5, True, 2024)
    row = {"caption": ["a", 1], "score": "", "seen": "", "year": 2024.0}
    assert values_in(row, COLUMNS) == ('["a", 1]', None, None, 2024)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caption", "\ud800"),
        ("score", "nan"),
        ("score", True),
        ("seen", 2),
        ("year", 2024.5),
        ("year", 2**63),
        ("year", "soon"),
    ],
)
def test_what_is_no_value_of_its_type_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"Its {name} is "):
        values_in({name: value}, COLUMNS)


def test_too_long_values_are_refused() -> None:
    with pytest.raises(ValueError, match="4,000 are allowed"):
        values_in({"caption": "ä" * (MOST_BYTES // 2)}, COLUMNS)
