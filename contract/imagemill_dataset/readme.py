"""The README of a dataset: its card for people, and for the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from imagemill_contract.keys import DATASET
from imagemill_contract.recipe import Output
from imagemill_dataset.names import EXTENSIONS

_LIBRARIES = {
    "pytorch": "PyTorch",
    "tensorflow": "TensorFlow",
    "huggingface": "Hugging Face `datasets`",
}


def readme_of(card: Mapping[str, Any], existing: Collection[str]) -> str:
    """The README of a dataset with that card, as the Hub's dataset cards are.

    `existing` are the keys that lie in the dataset's folder: files of a split are given by a
    pattern unless it would match others, too, such as shards that are superseded.
    """
    sections = [*_about(card), *_numbers(card), *_loaders(card)]
    return "\n".join([*_front_matter(card, existing), *sections]) + "\n"


def _front_matter(card: Mapping[str, Any], existing: Collection[str]) -> Iterator[str]:
    yield "---"
    yield f'pretty_name: "{card["name"]}"'
    if card["splits"]:
        yield from ("configs:", "  - config_name: default", "    data_files:")
    for split in card["splits"]:
        yield f'      - split: "{split}"'
        pattern = _pattern(card, split)
        files = _files_of(card, split)
        matched = {key for key in existing if fnmatchcase(key, DATASET + pattern)}
        if matched == {DATASET + name for name in files}:
            yield f'        path: "{pattern}"'
        else:
            yield "        path:"
            yield from (f'          - "{name}"' for name in files)
    yield from ("---", "")


def _about(card: Mapping[str, Any]) -> Iterator[str]:
    recipe = card["recipe"]
    yield from (f"# {card['name']}", "")
    yield (
        f"{card['samples']:,} pictures ({recipe['mode']}, {recipe['size']} pixels, "
        f"{recipe['format']}), each with its edge map ({recipe['edge']}, png), in "
        f"{len(card['shards']):,} shards of the format {card['format']}."
    )
    yield "`dataset.json` has this in full, `index.parquet` a row for each source picture."
    if "classes" in card:
        yield f"The {len(card['classes']):,} classes are in `labels.txt`: line n is number n."
    inside = sum(shard["superseded"] for shard in card["shards"])
    if inside:
        yield (
            f"Superseded samples in these shards, beside those that count: {inside:,}; "
            "`imagemill compact` removes them."
        )
    yield ""


def _numbers(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| split | samples | shards | bytes |", "|---|---:|---:|---:|")
    for name, counts in card["splits"].items():
        yield f"| {name} | {counts['samples']:,} | {counts['shards']:,} | {counts['bytes']:,} |"
    yield ""
    if card["pixels"]["pixels"]:
        mean, std = (_rounded(card["pixels"][name]) for name in ("mean", "std"))
        yield from (f"Pixels on a scale from 0 to 1: mean {mean}, standard deviation {std}.", "")


def _loaders(card: Mapping[str, Any]) -> Iterator[str]:
    for library, code in card["loaders"].items():
        yield from (f"## {_LIBRARIES[library]}", "", "```python", code.rstrip("\n"), "```", "")


def _pattern(card: Mapping[str, Any], split: str) -> str:
    return f"{card['name']}-{split}-*{EXTENSIONS[Output(card['format'])]}"


def _files_of(card: Mapping[str, Any], split: str) -> list[str]:
    """Names of a split's shards, of the dataset's format only: recipes may have changed."""
    extension = EXTENSIONS[Output(card["format"])]
    keys = (shard["key"] for shard in card["shards"] if shard["split"] == split)
    return [key.removeprefix(DATASET) for key in keys if key.endswith(extension)]


def _rounded(channels: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in channels)
