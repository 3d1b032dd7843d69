"""Finds sources that are gone, and the outputs that belong to them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from imagemill_app.plan.source.existing import Existing
from imagemill_contract.keys import (
    Stage,
    ordinary_sources,
    output_key,
    recipes_of,
    relative_key,
    stages_of,
)
from imagemill_contract.locations import Location
from imagemill_contract.output_names import CHANGED_NAME
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.index import Entry


def deleted_outputs(
    gone: Mapping[str, Entry], source: Location, existing: Existing, recipe: Recipe
) -> dict[str, list[str]]:
    """Deleted sources, in order, each with the output keys that belong to it alone.

    `gone` has the rows of the deleted sources. A sample has no output of its own: it is superseded
    as soon as the index forgets its object.
    """
    names = existing.keys if gone else ()
    changed = frozenset(_changed_outputs(names, source.prefix, recipe))
    return {
        relative: own_outputs(relative, source.prefix, existing, changed, recipe)
        if entry.run.recipe.get("output", Output.FILES) == Output.FILES
        else []
        for relative, entry in gone.items()
    }


def own_outputs(
    relative: str,
    prefix: str,
    existing: Existing,
    changed: frozenset[str],
    recipe: Recipe,
) -> list[str]:
    """Output keys of a deleted source that no existing source shares.

    If `a` is deleted and `a.jpg` is there, `resized/a.jpg` belongs to `a.jpg`. `changed` are the
    output keys of existing sources whose names had to be changed. If only a part of them is known,
    a key that looks like one of these belongs to nobody alone.
    """
    own = []
    for stage, of_size in _results(recipe):
        key = output_key(stage, relative, of_size)
        if key in changed or (not existing.is_all and not CHANGED_NAME.isdisjoint(key)):
            continue
        owners = ordinary_sources(stage, key, of_size)
        if not any(existing.has(prefix + owner) for owner in owners if owner != relative):
            own.append(key)
    return own


def _changed_outputs(existing: Iterable[str], prefix: str, recipe: Recipe) -> Iterator[str]:
    results = _results(recipe)
    for source_key in existing:
        relative = relative_key(source_key, prefix)
        for stage, of_size in results:
            key = output_key(stage, relative, of_size)
            if relative not in ordinary_sources(stage, key, of_size):
                yield key


def _results(recipe: Recipe) -> list[tuple[Stage, Recipe]]:
    """Stages, each with a recipe for each size of its results."""
    return [(stage, it) for stage in stages_of(recipe) for it in recipes_of(stage, recipe)]
