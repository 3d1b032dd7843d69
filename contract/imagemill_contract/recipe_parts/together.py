"""What the fields of a recipe may not hold together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from imagemill_contract.errors import RecipeError
from imagemill_contract.fields import shown
from imagemill_contract.recipe_parts.choices import (
    Anchor,
    EdgeMethod,
    ImageFormat,
    ModelOutput,
    Output,
    ResizeMode,
    SplitBy,
)
from imagemill_contract.recipe_parts.given import (
    VECTOR,
    VECTOR_FEATURE,
    given_columns,
    size_columns,
)
from imagemill_contract.recipe_parts.labels import Labels
from imagemill_contract.recipe_parts.preprocessing import Preprocessing
from imagemill_contract.recipe_parts.sizes import Sizes

if TYPE_CHECKING:
    from imagemill_contract.recipe import Recipe

_FORMS = ", ".join(form for form in Output if form is not Output.FILES)


@dataclass(frozen=True, slots=True)
class _Condition:
    """Fields that have an effect only where `holds`; `text` ends a sentence that begins "unless".

    Where it does not hold, they must have their default.
    """

    names: tuple[str, ...]
    text: str
    holds: Callable[[Recipe], bool]


_CONDITIONS = (
    _Condition(("size",), "sizes is left out", lambda recipe: not recipe.sizes),
    _Condition(("sizes",), "mode resizes", lambda recipe: recipe.mode is not ResizeMode.NO),
    _Condition(("seed",), "shuffle is true", lambda recipe: recipe.shuffle),
    _Condition(
        ("stratify",),
        "label_from_folder is true and split_by is picture",
        lambda recipe: recipe.label_from_folder and recipe.split_by is SplitBy.PICTURE,
    ),
    _Condition(
        (
            *("dataset_name", "shard_bytes", "split", "split_by", "split_column", "stratify"),
            *("shuffle", "seed", "label_from_folder"),
        ),
        f"output is one of {_FORMS}",
        lambda recipe: recipe.output is not Output.FILES,
    ),
    _Condition(
        ("split_column",),
        "it is one of the columns, split_by is picture and stratify is false",
        lambda recipe: (
            recipe.split_column in dict(recipe.columns)
            and recipe.split_by is SplitBy.PICTURE
            and not recipe.stratify
        ),
    ),
    _Condition(
        ("interpolation",),
        "anchor is center and mode resizes",
        lambda recipe: recipe.anchor is Anchor.CENTER and recipe.mode is not ResizeMode.NO,
    ),
    _Condition(
        ("edge_three_channels",), "edge is not none", lambda recipe: recipe.edge != EdgeMethod.NONE
    ),
    _Condition(
        ("blur", "canny_low", "canny_high"),
        "edge is canny",
        lambda recipe: recipe.edge is EdgeMethod.CANNY,
    ),
    _Condition(("canny_low",), "canny_high is given, too", lambda recipe: recipe.canny_high > 0),
    _Condition(
        ("model_output", "model_preprocessing", "model_sha256"),
        "model is given",
        lambda recipe: recipe.model != "",
    ),
    _Condition(
        ("keep_if", "model_labels"),
        "model_output is scores",
        lambda recipe: recipe.model_output is ModelOutput.SCORES,
    ),
    _Condition(
        ("line_art_contrast",),
        "edge is line_art",
        lambda recipe: recipe.edge is EdgeMethod.LINE_ART,
    ),
)


def check_together(recipe: Recipe, where: str) -> None:
    """Raises RecipeError for a field that would have no effect, as a person expects one."""
    defaults = {item.name: item.default for item in fields(recipe)}
    for condition in _CONDITIONS:
        if condition.holds(recipe):
            continue
        for name in condition.names:
            value = getattr(recipe, name)
            if value != defaults[name]:
                raise RecipeError(
                    f"{where}.{name}: {shown(json_value(value))} has no effect unless "
                    f"{condition.text}."
                )
    _check_output(recipe, where)
    declared = dict(recipe.model_preprocessing)
    Preprocessing.from_document(declared, f"{where}.model_preprocessing", RecipeError)
    if recipe.canny_low > recipe.canny_high:
        raise RecipeError(
            f"{where}.canny_low: {recipe.canny_low} must not be above canny_high, which is "
            f"{recipe.canny_high}."
        )


def _check_output(recipe: Recipe, where: str) -> None:
    """Raises RecipeError for what dataset shards cannot hold, or not without."""
    if recipe.format is ImageFormat.AVIF and recipe.output is Output.TFRECORD:
        raise RecipeError(
            f"{where}.format: avif is not allowed with output tfrecord: TensorFlow has no decoder."
        )
    given = dict(given_columns(recipe.model, recipe.model_output))
    if recipe.output is Output.TFRECORD and VECTOR in given:
        given[VECTOR_FEATURE] = given[VECTOR]
    sized = dict(size_columns(recipe.sizes))
    for name, _ in recipe.columns:
        if recipe.is_packed and name in sized:
            raise RecipeError(f"{where}.columns: {name} is a picture or edge map in another size.")
        if recipe.is_packed and name in given:
            raise RecipeError(f"{where}.columns: {name} is what the model gives for a picture.")
    if recipe.more_stages and recipe.is_packed:
        raise RecipeError(
            f"{where}.more_stages: needs output to be files; dataset shards do not hold what they "
            "give."
        )
    if recipe.edge is EdgeMethod.NONE and recipe.is_packed:
        raise RecipeError(
            f"{where}.edge: none needs output to be files; each sample has its edges."
        )


def json_value(value: object) -> object:
    """What a document has for a field's value."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Sizes | Labels):
        return list(value)
    if isinstance(value, tuple):
        return {name: list(it) if isinstance(it, tuple) else it for name, it in value}
    return str(value) if isinstance(value, StrEnum) else value
