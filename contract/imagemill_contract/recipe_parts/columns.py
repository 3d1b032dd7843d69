"""Columns: what a manifest or side-car files say of a picture, each of one type.

Types are named, and not guessed from values, so that all shards of all runs have the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from imagemill_contract.fields import shown

Value = str | int | float | bool | None
Row = Mapping[str, object]

CAPTION = "caption"  # in `a.txt` beside `a.jpg`, and as `<key>.txt` in a tar
MOST_BYTES = 4_000  # of a picture's values as JSON: a slice of 250,000 is held in memory

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# What a sample has already: as a column, a field of its JSON, or the extension of a file.
_TAKEN = frozenset(
    {"key", "filename", "file_name", "format", "width", "height", "sha256", "label", "label_text"}
    | {"image", "edge", "json", "cls", "txt", "jpg", "png", "webp", "avif"}
)
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
_MOST_INT = 2**63 - 1


class ColumnType(StrEnum):
    TEXT = "text"  # of what is no text, such as a list: its JSON
    INT = "int"  # 64 bits
    FLOAT = "float"
    BOOL = "bool"


# As Hugging Face `datasets` calls them.
HUB_TYPES = {
    ColumnType.TEXT: "string",
    ColumnType.INT: "int64",
    ColumnType.FLOAT: "float64",
    ColumnType.BOOL: "bool",
}

NamedTypes = Sequence[tuple[str, ColumnType]]


class Columns:
    """Names of columns with their types, sorted by name; or a list of `name` or `name:type`."""

    allowed = (
        "an object of names (a-z 0-9 _), other than those that samples have, and of types (text, "
        'int, float, bool), such as {"caption": "text", "year": "int"}'
    )

    def read(self, value: object) -> tuple[tuple[str, ColumnType], ...]:
        if isinstance(value, list):
            value = dict(map(_named_type, value))
        if not isinstance(value, Mapping):
            raise ValueError(value)
        return tuple(sorted((_name(name), ColumnType(kind)) for name, kind in value.items()))


class ColumnName:
    """The name of a column, or an empty text for none."""

    allowed = "the name of a column"

    def read(self, value: object) -> str:
        return "" if value == "" else _name(value)


def _named_type(text: object) -> tuple[str, str]:
    if not isinstance(text, str):
        raise ValueError(text)
    name, colon, kind = text.partition(":")
    return name, kind if colon else ColumnType.TEXT


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value in _TAKEN:
        raise ValueError(value)
    return value


def has_any(row: Row, columns: NamedTypes) -> bool:
    """Whether a row says anything of the columns."""
    return any(name in row for name, _ in columns)


def values_in(row: Row, columns: NamedTypes) -> tuple[Value, ...]:
    """The values of a row, in the order of the columns; None for what it leaves out.

    Raises ValueError with one sentence for a value that is not of its type, and for too long ones.
    """
    values = tuple(_value(name, row.get(name), kind) for name, kind in columns)
    length = len(json.dumps(values, ensure_ascii=False).encode())
    if length > MOST_BYTES:
        raise ValueError(f"Its columns have {length:,} bytes; at most {MOST_BYTES:,} are allowed.")
    return values


def fitted(value: Value, kind: ColumnType) -> Value:
    """A value of an earlier recipe as a column's type of today, or None if it is none."""
    try:
        return _READERS[kind](value)
    except ValueError:
        return None


def _value(name: str, value: object, kind: ColumnType) -> Value:
    try:
        return _READERS[kind](value)
    except ValueError:
        raise ValueError(f"Its {name} is {shown(value)}, which is no {kind}.") from None


def _text(value: object) -> str | None:
    if value is None:
        return None
    is_json = isinstance(value, dict | list | tuple | bool | int | float)
    text = json.dumps(value, ensure_ascii=False, default=str) if is_json else str(value)
    text.encode()  # raises UnicodeEncodeError, a ValueError, for half of a character
    return text


def _int(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    number = int(value)
    if abs(number) > _MOST_INT:
        raise ValueError(value)
    return number


def _float(value: object) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _bool(value: object) -> bool | None:
    if value is None or value == "":
        return None
    word = str(value).strip().lower()
    if not isinstance(value, bool | int | str) or word not in (*_TRUE, *_FALSE):
        raise ValueError(value)
    return word in _TRUE


_READERS: Mapping[ColumnType, Callable[[object], Value]] = {
    ColumnType.TEXT: _text,
    ColumnType.INT: _int,
    ColumnType.FLOAT: _float,
    ColumnType.BOOL: _bool,
}
