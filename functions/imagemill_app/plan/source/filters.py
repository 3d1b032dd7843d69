"""Applies the filters of a request, and counts what they leave out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import translate

from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import split_object_address
from imagemill_contract.requests.selection import Selection

_EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Selected:
    """What was taken, and how many objects were left out for each reason."""

    kept: list[SourceObject]
    left_out: dict[str, int]


def selected(
    objects: Iterable[SourceObject], prefix: str, selection: Selection, excluded: frozenset[str]
) -> Selected:
    """Apply the filters to objects in key order. `excluded` are the names in `exclude`."""
    if not excluded and selection == _EVERYTHING:
        return Selected(list(objects), {})
    includes = _any_of(selection.include_globs)
    excludes = _any_of(selection.exclude_globs)
    kept: list[SourceObject] = []
    left_out: Counter[str] = Counter()
    for item in objects:
        relative = relative_key(item.key, prefix)
        reason = _reason_to_leave(item, relative, selection, excluded)
        if reason is None and includes is not None and not includes(relative):
            reason = "not matched by include_globs"
        if reason is None and excludes is not None and excludes(relative):
            reason = "matched by exclude_globs"
        if reason is None and selection.limit is not None and len(kept) >= selection.limit:
            reason = "beyond the limit"
        if reason is None:
            kept.append(item)
        else:
            left_out[reason] += 1
    return Selected(kept, dict(left_out))


def excluded_names(selection: Selection) -> frozenset[str]:
    """The names in `exclude`, read from its file if it is an address.

    Raises RunRefused if there is no such file.
    """
    if not isinstance(selection.exclude, str):
        return frozenset(selection.exclude)
    location, key = split_object_address(selection.exclude, "exclude")
    try:
        body = store_of(location.root).get(key).bytes().to_bytes()
    except FileNotFoundError:
        raise RunRefused(f'exclude: there is nothing at "{selection.exclude}".') from None
    try:
        lines = body.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise RunRefused(f'exclude: "{selection.exclude}" is not a text in UTF-8.') from None
    return frozenset(line.strip() for line in lines if line.strip())


def _reason_to_leave(
    item: SourceObject, relative: str, selection: Selection, excluded: frozenset[str]
) -> str | None:
    if excluded:
        name = relative.rpartition("/")[2]
        stem = name.rpartition(".")[0] or name
        if not excluded.isdisjoint((item.key, relative, name, stem)):
            return "named by exclude"
    if selection.min_bytes is not None and item.bytes < selection.min_bytes:
        return "under min_bytes"
    if selection.max_bytes is not None and item.bytes > selection.max_bytes:
        return "over max_bytes"
    return None


def _any_of(globs: tuple[str, ...]) -> Callable[[str], object] | None:
    if not globs:
        return None
    return re.compile("|".join(translate(glob) for glob in globs)).match
