"""The README of a dataset: its card for people, and for the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagemill_contract.keys import DATASET
from imagemill_contract.recipe import Output
from imagemill_dataset.names import EXTENSIONS

_LIBRARIES = {
    "pytorch": "PyTorch",
    "tensorflow": "TensorFlow",
    "huggingface": "Hugging Face `datasets`",
}


def readme_of(card: Mapping[str, Any]) -> str:
    """The README of a dataset, in the form of the Hub's dataset cards.

    Files are named one by one: a pattern would include those of a run that is going on, or that was
    given up.
    """
    sections = [*_about(card), *_numbers(card), *_loaders(card)]
    return "\n".join([*_front_matter(card), *sections]) + "\n"


def _front_matter(card: Mapping[str, Any]) -> Iterator[str]:
    yield "---"
    yield f'pretty_name: "{card["name"]}"'
    if card["splits"]:
        yield from ("configs:", "  - config_name: default", "    data_files:")
    for split in card["splits"]:
        yield from (f'      - split: "{split}"', "        path:")
        yield from (f'          - "{name}"' for name in _files_of(card, split))
    yield from ("---", "")


def _about(card: Mapping[str, Any]) -> Iterator[str]:
    recipe = card["recipe"]
    yield from (f"# {card['name']}", "")
    yield (
        f"{card['samples']:,} pictures ({recipe['mode']}, {recipe['size']} pixels, "
        f"{recipe['format']}), each with its edge map ({recipe['edge']}, png). Number of "
        f"{card['format']} shards: {len(card['shards']):,}."
    )
    yield "`dataset.json` has all details, `index.parquet` one row per picture."
    if "classes" in card:
        yield (
            f"The {len(card['classes']):,} classes are in `labels.txt`, one per line: the first "
            "line is class 0."
        )
    inside = sum(shard["superseded"] for shard in card["shards"])
    if inside:
        yield (
            f"These shards also hold superseded samples, which readers see, too: {inside:,}. "
            "If the shares of the splits have changed, a picture may be in two splits. "
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
        yield from (f"Pixels, scaled to 0..1: mean {mean}, standard deviation {std}.", "")


def _loaders(card: Mapping[str, Any]) -> Iterator[str]:
    for library, code in card["loaders"].items():
        yield from (f"## {_LIBRARIES[library]}", "", "```python", code.rstrip("\n"), "```", "")


def _files_of(card: Mapping[str, Any], split: str) -> list[str]:
    """Names of a split's shards, only those in the dataset's format: recipes may have changed."""
    extension = EXTENSIONS[Output(card["format"])]
    keys = (shard["key"] for shard in card["shards"] if shard["split"] == split)
    return [key.removeprefix(DATASET) for key in keys if key.endswith(extension)]


def _rounded(channels: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in channels)
