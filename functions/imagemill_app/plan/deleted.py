"""Sources that are gone, and which outputs were theirs alone."""

from __future__ import annotations

from collections.abc import Mapping

from imagemill_contract.keys import STAGE_FOLDERS, is_hidden, output_extension, output_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_dataset.index import Entry


def deleted_sources(
    entries: Mapping[str, Entry], source: Location, existing: frozenset[str]
) -> list[str]:
    """Relative keys that an earlier run over this source has done and that are gone now.

    What is hidden in a folder was not listed, so it may still be there.
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
    return {
        relative: own_outputs(relative, source.prefix, existing, recipe.format)
        if entries[relative].run.recipe.get("output", Output.FILES) == Output.FILES
        else []
        for relative in deleted_sources(entries, source, existing)
    }


def own_outputs(
    relative: str, prefix: str, existing: frozenset[str], image_format: ImageFormat
) -> list[str]:
    """Output keys of a deleted source that no existing source shares.

    If `a` is deleted and `a.jpg` is there, `resized/a.jpg` belongs to `a.jpg`.
    """
    own = []
    for stage, folder in STAGE_FOLDERS.items():
        key = output_key(stage, relative, image_format)
        name = key.removeprefix(folder)
        owners = {name, name.removesuffix(output_extension(stage, image_format))}
        if existing.isdisjoint(prefix + owner for owner in owners):
            own.append(key)
    return own
