"""The splits of objects, where more than their names decides them: classes, or a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import Entry
from imagemill_dataset.names import class_of, split_by_value, split_in, stratified_splits


def planned_splits(
    objects: Iterable[SourceObject], prefix: str, recipe: Recipe, known: Mapping[str, Entry]
) -> dict[str, str]:
    """Splits by whole keys; none if a picture's name decides its split.

    `known` is what the index says of the objects, by relative keys. Where classes have shares,
    a picture that had a split by the same shares keeps it: only new ones are divided.
    """
    if recipe.split_column:
        at = [name for name, _ in recipe.columns].index(recipe.split_column)
        return {
            item.key: split_by_value(relative_key(item.key, prefix), item.columns[at], recipe.split)
            for item in objects
        }
    return _stratified(objects, prefix, recipe, known) if recipe.stratify else {}


def _stratified(
    objects: Iterable[SourceObject], prefix: str, recipe: Recipe, known: Mapping[str, Entry]
) -> dict[str, str]:
    splits: dict[str, str] = {}
    new: dict[str, list[str]] = defaultdict(list)
    for item in objects:
        relative = relative_key(item.key, prefix)
        kept = _earlier_split(known.get(relative), recipe)
        if kept is None:
            new[class_of(relative) or ""].append(relative)
        else:
            splits[relative] = kept
    for names in new.values():
        splits |= stratified_splits(names, recipe.split)
    return {prefix + relative: split for relative, split in splits.items()}


def _earlier_split(entry: Entry | None, recipe: Recipe) -> str | None:
    if entry is None or entry.place is None:
        return None
    names = ("split", "stratify")
    now = recipe.to_document()
    if any(entry.run.recipe.get(name) != now[name] for name in names):
        return None
    return split_in(entry.place.shard)
