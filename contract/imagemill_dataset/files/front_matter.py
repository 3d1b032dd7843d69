"""The front matter of a dataset's README: what the Hugging Face Hub and `datasets` read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagemill_contract.keys import DATASET, INDEX_TABLE
from imagemill_contract.recipe import Output
from imagemill_dataset.files.hub_features import hub_features
from imagemill_dataset.files.yaml_text import yaml_lines
from imagemill_dataset.names import EXTENSIONS

_LICENSE = "unknown"  # the Hub's own word
_TAGS = ["imagemill", "edge-detection"]
_OWN = ("pretty_name", "license", "tags", "language", "task_categories")
# The Hub's size categories: the least number of samples, and its name.
_SIZES = (
    *((10**9, "1B<n<10B"), (10**8, "100M<n<1B"), (10**7, "10M<n<100M"), (10**6, "1M<n<10M")),
    *((10**5, "100K<n<1M"), (10**4, "10K<n<100K"), (10**3, "1K<n<10K"), (0, "n<1K")),
)


def front_matter(card: Mapping[str, Any]) -> Iterator[str]:
    """Its lines, with those that begin and end it."""
    yield from ("---", *yaml_lines(_fields(card)), "---", "")


def files_of(card: Mapping[str, Any], split: str) -> list[str]:
    """Names of a split's shards, only those in the dataset's format: recipes may have changed."""
    return [key.removeprefix(DATASET) for key in _shards(card, split)]


def _fields(card: Mapping[str, Any]) -> dict[str, Any]:
    about = card.get("about", {})
    size = next(name for least, name in _SIZES if card["samples"] >= least)
    fields: dict[str, Any] = {
        "pretty_name": card["name"],
        "license": _LICENSE,
        "tags": _TAGS,
        "size_categories": [size],
    }
    if "classes" in card:
        fields["task_categories"] = ["image-classification"]
    fields |= {name: about[name] for name in _OWN if name in about}
    return fields | (_of_samples(card) if hub_features(card) else _of_index())


def _of_samples(card: Mapping[str, Any]) -> dict[str, Any]:
    """Where the samples lie and what they are."""
    if not card["splits"]:
        return {}
    files = [{"split": name, "path": files_of(card, name)} for name in card["splits"]]
    splits = [_split(card, name) for name in card["splits"]]
    size_bytes = sum(split["num_bytes"] for split in splits)
    info = {"features": hub_features(card), "splits": splits}
    return {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": info | {"download_size": size_bytes, "dataset_size": size_bytes},
    }


def _of_index() -> dict[str, Any]:
    """`datasets` cannot read TFRecord files: it gets the table of all pictures, without pixels."""
    path = INDEX_TABLE.removeprefix(DATASET)
    return {"configs": [{"config_name": "index", "data_files": f"{path}/*.parquet"}]}


def _split(card: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`datasets` counts what it reads: also the samples that do not count any more."""
    shards = _shards(card, name)
    return {
        "name": name,
        "num_bytes": sum(row["bytes"] for row in shards.values()),
        "num_examples": sum(row["samples"] for row in shards.values()),
    }


def _shards(card: Mapping[str, Any], split: str) -> dict[str, Mapping[str, Any]]:
    extension = EXTENSIONS[Output(card["format"])]
    return {
        row["key"]: row
        for row in card["shards"]
        if row["split"] == split and row["key"].endswith(extension)
    }
