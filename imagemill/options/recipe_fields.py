"""The fields of a recipe as data, from which options and their help are made."""

from __future__ import annotations

from dataclasses import dataclass, fields

from imagemill_contract.fields import Rule
from imagemill_contract.recipe import Recipe


@dataclass(frozen=True, slots=True)
class RecipeField:
    """One field.

    Attributes:
        name: As documents spell it.
        rule: What it may hold.
        text: What it does, without a full stop.
        default: A JSON value.
    """

    name: str
    rule: Rule
    text: str
    default: object


def recipe_fields() -> tuple[RecipeField, ...]:
    """All fields, in the order in which help shows them."""
    defaults = Recipe().to_document()
    return tuple(
        RecipeField(item.name, item.metadata["rule"], item.metadata["text"], defaults[item.name])
        for item in fields(Recipe)
    )
