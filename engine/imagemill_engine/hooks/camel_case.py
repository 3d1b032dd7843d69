"""Spellings of a member: PascalCase in templates and state machines, camelCase in Batch's API."""

from __future__ import annotations

from collections.abc import Callable

from imagemill_engine.shapes import Document

# Maps whose keys belong to the user.
_KEPT = frozenset({"parameters", "tags", "options"})


def to_camel(document: Document) -> Document:
    """The document with all its members in camelCase."""
    return _respelled_members(document, str.lower)


def to_pascal(document: Document) -> Document:
    """The document with all its members in PascalCase."""
    return _respelled_members(document, str.upper)


def _respelled_members(document: Document, change: Callable[[str], str]) -> Document:
    return {
        change(name[:1]) + name[1:]: value if name.lower() in _KEPT else _respelled(value, change)
        for name, value in document.items()
    }


def _respelled(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, list):
        return [_respelled(item, change) for item in value]
    return _respelled_members(value, change) if isinstance(value, dict) else value
