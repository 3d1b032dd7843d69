"""Finds sources that are gone, and the outputs that belong to them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from imagemill_contract.keys import Stage, ordinary_sources, output_key, relative_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_contract.source_keys import is_hidden
from imagemill_dataset.index import Entry


def deleted_sources(
    entries: Mapping[str, Entry], source: Location, existing: frozenset[str]
) -> list[str]:
    """Relative keys that an earlier run over this source has done and that are gone now.

    Hidden files of a folder are not listed, so they may still be there.
    """
    own = [relative for relative, entry in entries.items() if entry.run.source == str(source)]
    gone = [relative for relative in own if source.prefix + relative not in existing]
    return sorted(item for item in gone if not (source.is_file and is_hidden(item)))


def deleted_outputs(
    entries: Mapping[str, Entry], source: Location, existing: frozenset[str], recipe: Recipe
) -> dict[str, list[str]]:
    """Deleted sources, each with the output keys that belong to it alone.

    A sample has none: it is superseded as soon as the index forgets its object.
    """
    deleted = deleted_sources(entries, source, existing)
    changed = frozenset(_changed_outputs(existing, source.prefix, recipe.format) if deleted else ())
    return {
        relative: own_outputs(relative, source.prefix, existing, changed, recipe.format)
        if entries[relative].run.recipe.get("output", Output.FILES) == Output.FILES
        else []
        for relative in deleted
    }


def own_outputs(
    relative: str,
    prefix: str,
    existing: frozenset[str],
    changed: frozenset[str],
    image_format: ImageFormat,
) -> list[str]:
    """Output keys of a deleted source that no existing source shares.

    If `a` is deleted and `a.jpg` is there, `resized/a.jpg` belongs to `a.jpg`. `changed` are the
    output keys of existing sources whose names had to be changed.
    """
    own = []
    for stage in Stage:
        key = output_key(stage, relative, image_format)
        owners = ordinary_sources(stage, key, image_format)
        if key not in changed and existing.isdisjoint(prefix + owner for owner in owners):
            own.append(key)
    return own


def _changed_outputs(
    existing: Iterable[str], prefix: str, image_format: ImageFormat
) -> Iterator[str]:
    for source_key in existing:
        relative = relative_key(source_key, prefix)
        for stage in Stage:
            key = output_key(stage, relative, image_format)
            if relative not in ordinary_sources(stage, key, image_format):
                yield key
