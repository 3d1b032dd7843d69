"""Rules for the fields of documents, and the sentences that say what a field may hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from imagemill_contract.errors import RequestError

_UNIT_BYTES = {
    **{"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40},
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([A-Za-z]+)")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHARE_TOLERANCE = 1e-9


class Rule(Protocol):
    """Reads a JSON value as the field's own type, or raises ValueError."""

    @property
    def allowed(self) -> str: ...

    def read(self, value: object) -> object: ...


@dataclass(frozen=True, slots=True)
class WholeNumber:
    least: int
    most: int

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def read(self, value: object) -> int:
        # bool is an int in Python, but not in JSON
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(value)
        if not self.least <= value <= self.most:
            raise ValueError(value)
        return value


@dataclass(frozen=True, slots=True)
class ByteCount:
    """A number of bytes, or a text with its unit: kB to TB are decimal, KiB to TiB binary."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        return f"{self._number.allowed}, or a size such as 256MB or 64MiB"

    @property
    def _number(self) -> WholeNumber:
        return WholeNumber(self.least, self.most)

    def read(self, value: object) -> int:
        return self._number.read(_bytes_in(value) if isinstance(value, str) else value)


def _bytes_in(text: str) -> int:
    size = _SIZE.fullmatch(text)
    if size is None or size[2].upper() not in _UNIT_BYTES:
        raise ValueError(text)
    count = Fraction(size[1]) * _UNIT_BYTES[size[2].upper()]
    if count.denominator != 1:  # no part of a byte
        raise ValueError(text)
    return int(count)


@dataclass(frozen=True, slots=True)
class OneOf:
    choices: type[StrEnum]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.choices)

    def read(self, value: object) -> StrEnum:
        if not isinstance(value, str):
            raise ValueError(value)
        return self.choices(value)


class TrueOrFalse:
    allowed = "true or false"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value


class Dollars:
    allowed = "a number of USD above 0"

    def read(self, value: object) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < float(str(value)) < math.inf:
            raise ValueError(value)
        return float(str(value))


class Name:
    """A name that can be a part of a file's name, before a dash."""

    allowed = "a name of up to 32 of the characters a-z 0-9 _, beginning with a letter"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise ValueError(value)
        return value


class Shares:
    """Names with their shares of a whole, sorted by name."""

    allowed = (
        "an object of names (a-z 0-9 _) and shares above 0 that add up to 1, "
        'such as {"train": 0.9, "validation": 0.1}'
    )

    def read(self, value: object) -> tuple[tuple[str, float], ...]:
        if not isinstance(value, Mapping) or not value:
            raise ValueError(value)
        shares = tuple(sorted((Name().read(name), _share(part)) for name, part in value.items()))
        if abs(sum(part for _, part in shares) - 1) > _SHARE_TOLERANCE:
            raise ValueError(value)
        return shares


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(value)
    return float(value)


class Colour:
    allowed = "a colour as #rrggbb"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _COLOUR.fullmatch(value):
            raise ValueError(value)
        return value.lower()


def shown(value: object) -> str:
    """The `value` as JSON, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."


def check_names(
    document: Mapping[str, object], allowed: Iterable[str], where: str, error: type[RequestError]
) -> None:
    """Raises `error`, which lists what is allowed, for a name that is not in `allowed`."""
    names = list(allowed)
    for name in document:
        if name not in names:
            raise error(f"{where}: unknown field {shown(name)}; allowed are {', '.join(names)}.")


def read_fields(
    document: object, rules: Mapping[str, Rule], where: str, error: type[RequestError]
) -> dict[str, object]:
    """The fields in `document`, each read by its rule.

    Raises `error` with one sentence that names the field, its value and what is allowed.
    """
    if not isinstance(document, Mapping):
        raise error(f"{where}: {shown(document)} is not an object of fields.")
    check_names(document, rules, where, error)
    values: dict[str, object] = {}
    for name, value in document.items():
        rule = rules[name]
        try:
            values[name] = rule.read(value)
        except ValueError:
            raise error(
                f"{where}.{name}: {shown(value)} is not allowed; it must be {rule.allowed}."
            ) from None
    return values
