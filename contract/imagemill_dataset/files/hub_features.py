"""The columns of a dataset as Hugging Face `datasets` gives them, in the form of its cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill_contract.recipe import ModelOutput, Output
from imagemill_contract.recipe_parts.columns import CAPTION, HUB_TYPES, ColumnType
from imagemill_contract.recipe_parts.given import (
    HUB_LISTS,
    SCORES,
    ColumnKind,
    GivenType,
    file_ending,
    given_columns,
    size_columns,
)

Feature = dict[str, Any]


def hub_features(card: Mapping[str, Any]) -> list[Feature]:
    """The features of the samples: with classes, the label is a ClassLabel that knows their names.

    Empty for a format that `datasets` cannot read.
    """
    output = Output(card["format"])
    if output is Output.WEBDATASET:
        return _of_webdataset(card)
    return _of_parquet(card) if output is Output.PARQUET else []


def class_names(card: Mapping[str, Any]) -> list[str]:
    """The names of the classes, by their numbers; empty without classes."""
    classes = card.get("classes", {})
    return sorted(classes, key=lambda name: classes[name]["label"])


def _of_webdataset(card: Mapping[str, Any]) -> list[Feature]:
    """A column for each file of a sample, by its extension, as the loader of `datasets` does."""
    known = [*_texts("filename", "format"), *_numbers("int64", "height"), *_texts("sha256")]
    known += _numbers("int64", "width")
    classes = class_names(card)
    if classes:
        known += [*_numbers("int64", "label"), *_texts("label_text")]
    known += _of_columns(card)
    if _gives(card, ModelOutput.SCORES):
        known += [*_texts("predicted"), *_numbers("float64", "score"), _scores(card)]
    files = [
        _image(card["recipe"]["format"]),
        _image("edge.png"),
        {"name": "json", "struct": known},
    ]
    if classes:
        files.append(_class_label("cls", classes))
    if CAPTION in card["recipe"]["columns"]:
        files += _texts("txt")
    if _gives(card, ModelOutput.VECTOR):
        files.append(_list("npy", HUB_LISTS[GivenType.VECTOR]))
    if _gives(card, ModelOutput.IMAGE):
        files.append(_image("model.png"))
    image_format = card["recipe"]["format"]
    files += [_image(file_ending(name, image_format)) for name, _ in _of_sizes(card)]
    return [*files, *_texts("__key__", "__url__")]


def _of_parquet(card: Mapping[str, Any]) -> list[Feature]:
    classes = class_names(card)
    label = [_class_label("label", classes)] if classes else _numbers("int64", "label")
    return [
        *(_image("image"), _image("edge")),
        *_texts("key", "filename"),
        *_numbers("int32", "width", "height"),
        *_texts("sha256"),
        *label,
        *_texts("label_text"),
        *_of_columns(card),
        *_of_model(card),
        *(_image(name) for name, _ in _of_sizes(card)),
    ]


def _of_sizes(card: Mapping[str, Any]) -> Sequence[tuple[str, ColumnKind]]:
    return size_columns(card["recipe"]["sizes"])


def _of_model(card: Mapping[str, Any]) -> list[Feature]:
    recipe = card["recipe"]
    columns = given_columns(recipe["model"], ModelOutput(recipe["model_output"]))
    return [_feature(name, kind) for name, kind in columns]


def _scores(card: Mapping[str, Any]) -> Feature:
    """In JSON they are an object of labels, or a list."""
    labels = card["recipe"]["model_labels"]
    if not labels:
        return _list(SCORES, HUB_LISTS[GivenType.SCORES])
    return {"name": SCORES, "struct": _numbers(HUB_LISTS[GivenType.SCORES], *labels)}


def _gives(card: Mapping[str, Any], output: ModelOutput) -> bool:
    return bool(card["recipe"]["model"]) and card["recipe"]["model_output"] == output


def _feature(name: str, kind: ColumnKind) -> Feature:
    if kind is GivenType.PICTURE:
        return _image(name)
    if isinstance(kind, ColumnType):
        return {"name": name, "dtype": HUB_TYPES[kind]}
    return _list(name, HUB_LISTS[kind])


def _list(name: str, kind: str) -> Feature:
    return {"name": name, "sequence": kind}


def _of_columns(card: Mapping[str, Any]) -> list[Feature]:
    columns = card["recipe"]["columns"]
    return [{"name": name, "dtype": HUB_TYPES[kind]} for name, kind in columns.items()]


def _image(name: str) -> Feature:
    return {"name": name, "dtype": "image"}


def _texts(*names: str) -> list[Feature]:
    return [{"name": name, "dtype": "string"} for name in names]


def _numbers(kind: str, *names: str) -> list[Feature]:
    return [{"name": name, "dtype": kind} for name in names]


def _class_label(name: str, classes: list[str]) -> Feature:
    names = {str(number): text for number, text in enumerate(classes)}
    return {"name": name, "dtype": {"class_label": {"names": names}}}
