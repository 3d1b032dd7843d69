"""Writes values as YAML, which the standard library cannot: blocks of mappings and lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
# what JSON may hold as it is, and YAML takes for the end of a line or refuses
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def yaml_lines(values: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a block of fields. Scalars are written as JSON, which YAML reads as well."""
    for name, value in values.items():
        if isinstance(value, Mapping | list) and value:
            yield f"{_key(name)}:"
            yield from _indented(_block(value))
        else:
            yield f"{_key(name)}: {_scalar(value)}"


def _block(value: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    return yaml_lines(value) if isinstance(value, Mapping) else _items(value)


def _items(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        lines = yaml_lines(value) if isinstance(value, Mapping) else iter([_scalar(value)])
        yield f"- {next(lines)}"
        yield from _indented(lines)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _key(name: str) -> str:
    is_plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS
    return name if is_plain else _scalar(name)


def _scalar(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
