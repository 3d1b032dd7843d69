"""Spellings of a member: PascalCase in templates and ASL, camelCase in the Batch API."""

from typing import Any

# Maps whose keys belong to the user.
_FREE = frozenset({"parameters", "tags", "options"})


def to_camel(value: Any) -> Any:
    return _respelled(value, str.lower)


def to_pascal(value: Any) -> Any:
    return _respelled(value, str.upper)


def _respelled(value: Any, change: Any) -> Any:
    if isinstance(value, list):
        return [_respelled(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        change(key[:1]) + key[1:]: item if key.lower() in _FREE else _respelled(item, change)
        for key, item in value.items()
    }
