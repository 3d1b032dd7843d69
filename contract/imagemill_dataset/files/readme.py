"""The README of a dataset: its card for people, and for the Hugging Face Hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagemill_contract.recipe import ModelOutput, Output, Recipe
from imagemill_dataset.files.front_matter import front_matter

_LIBRARIES = {
    "pytorch": "PyTorch",
    "tensorflow": "TensorFlow",
    "huggingface": "Hugging Face `datasets`",
}
_GIVEN = {
    ModelOutput.VECTOR: "the vector that a neural network gives for its picture, in float16.",
    ModelOutput.SCORES: "the scores that a neural network gives for its picture.",
    ModelOutput.IMAGE: "the picture that a neural network draws from it, as PNG.",
}
_MOST_LABELS = 20


def sizes_text(recipe: Mapping[str, Any]) -> str:
    """The sides of a recipe's pictures: `128`, or `512 and 64, 128`, the sample's own first."""
    *smaller, largest = recipe["sizes"] or [recipe["size"]]
    return f"{largest} and {', '.join(map(str, smaller))}" if smaller else str(largest)


def readme_of(card: Mapping[str, Any]) -> str:
    """The README of a dataset, in the form of the Hub's dataset cards.

    Files are named one by one: a pattern would include those of a run that is going on, or that was
    given up.
    """
    sections = [*_about(card), *_numbers(card), *_origin(card), *_loaders(card)]
    return "\n".join([*front_matter(card), *sections]) + "\n"


def _about(card: Mapping[str, Any]) -> Iterator[str]:
    recipe = card["recipe"]
    about = card.get("about", {})
    yield from (f"# {about.get('pretty_name', card['name'])}", "")
    if "problem" in about:
        yield from (f"**{about['problem']}**", "")
    if "description" in about:
        yield from (about["description"], "")
    if "preview" in card:
        yield from (f"![Some of the pictures, drawn by lot]({card['preview']})", "")
    yield (
        f"{card['samples']:,} pictures ({recipe['mode']}, {sizes_text(recipe)} pixels, "
        f"{recipe['format']}), each with its edge map ({recipe['edge']}, png). Number of "
        f"{card['format']} shards: {len(card['shards']):,}."
    )
    yield (
        "`dataset.json` has all details, `index.parquet/` one row per picture, and "
        "`croissant.json` describes both."
    )
    if "classes" in card:
        yield (
            f"The {len(card['classes']):,} classes are in `labels.txt`, one per line: the first "
            "line is class 0."
        )
        if len(card["classes"]) > 1 and not recipe["shuffle"]:
            yield (
                "Shards follow the order of keys, so samples of a class lie together: shuffle them "
                "when you train, or pack with `--shuffle`."
            )
    if recipe["columns"]:
        named = ", ".join(f"`{name}` ({kind})" for name, kind in recipe["columns"].items())
        yield f"Each sample also has the columns {named}."
    yield from _given(recipe)
    inside = sum(shard["superseded"] for shard in card["shards"])
    if inside:
        yield (
            f"These shards also hold superseded samples, which readers see, too: {inside:,}. "
            "If the shares of the splits have changed, a picture may be in two splits. "
            "`imagemill compact` removes them."
        )
    yield ""


def _given(recipe: Mapping[str, Any]) -> Iterator[str]:
    """What a model gives, and which one it was."""
    if recipe["model"]:
        what = _GIVEN[ModelOutput(recipe["model_output"])]
        if labels := recipe["model_labels"]:
            named = ", ".join(map(_cell, labels[:_MOST_LABELS]))
            rest = f" and {len(labels) - _MOST_LABELS:,} more" if len(labels) > _MOST_LABELS else ""
            what += f" In this order they are for {named}{rest} (`model_labels` in `dataset.json`)."
        yield f"Each sample also has {what} The model's SHA-256 is `{recipe['model_sha256']}`."


def _numbers(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| split | samples | shards | bytes |", "|---|---:|---:|---:|")
    for name, counts in card["splits"].items():
        yield f"| {name} | {counts['samples']:,} | {counts['shards']:,} | {counts['bytes']:,} |"
    yield ""
    if card["pixels"]["pixels"]:
        mean, std = (_rounded(card["pixels"][name]) for name in ("mean", "std"))
        yield from (f"Pixels, scaled to 0..1: mean {mean}, standard deviation {std}.", "")


def _origin(card: Mapping[str, Any]) -> Iterator[str]:
    """Where the pictures are from, and what was done to them by what."""
    defaults = Recipe(output=Output(card["format"])).to_document()
    changed = {
        name: value
        for name, value in card["recipe"].items()
        if value != defaults[name] and name != "model_labels"  # there may be a thousand
    }
    fields = ", ".join(f"`{name}` {_cell(value)}" for name, value in changed.items())
    yield from ("| | |", "|---|---|")
    yield f"| source | {', '.join(map(_cell, card['sources'])) or 'none'} |"
    yield f"| recipe | `{card['recipe_digest']}`: {fields or 'all fields have their default'} |"
    yield f"| made by | {card['tool'] or 'an imagemill that did not say which'} |"
    yield ""


def _cell(value: object) -> str:
    """A value as code in a cell of a table."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def _loaders(card: Mapping[str, Any]) -> Iterator[str]:
    for library, code in card["loaders"].items():
        yield from (f"## {_LIBRARIES[library]}", "", "```python", code.rstrip("\n"), "```", "")


def _rounded(channels: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in channels)
