"""What a model's own metadata say of its use."""

from __future__ import annotations

import json
from collections.abc import Mapping

from imagemill_contract.errors import ModelError
from imagemill_contract.recipe_parts.labels import LabelList, Labels
from imagemill_contract.recipe_parts.preprocessing import PlainValue, Preprocessing

# Entries of the metadata, each a JSON text
PREPROCESSING, LABELS = "imagemill.preprocessing", "imagemill.labels"


def preprocessing_of(
    declared: Mapping[str, PlainValue], metadata: Mapping[str, str]
) -> Preprocessing:
    """What was declared; or else what the model's metadata say; or else the default.

    Raises ModelError.
    """
    if declared:
        return Preprocessing.from_document(declared, "recipe.model_preprocessing")
    if PREPROCESSING in metadata:
        where = f"the model's {PREPROCESSING}"
        return Preprocessing.from_document(_json(metadata[PREPROCESSING], where), where)
    return Preprocessing()


def labels_of(metadata: Mapping[str, str]) -> Labels:
    """The names of a model's scores, from its metadata; empty without. Raises ModelError."""
    if LABELS not in metadata:
        return Labels()
    rule = LabelList()
    try:
        return rule.read(_json(metadata[LABELS], f"the model's {LABELS}"))
    except ValueError:
        raise ModelError(f"the model's {LABELS} must be {rule.allowed}.") from None


def _json(text: str, where: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{where}: it is no JSON: {error}.") from error
    return value
