"""The numbers of classes, which are given in batches and never change.

The batch `dataset/labels/<first number>.json` holds the names of its classes, numbered from there.
The next batch begins where the last one ends, so whoever adds one has read all others. A key can be
created only once, so two runs at once never give the same number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import LABELS

_VERSION = 1
_KEY = re.compile(re.escape(LABELS) + r"([0-9]{8,})\.json")


def batch_key(first: int) -> str:
    """The key of the batch whose first class has the number `first`."""
    return f"{LABELS}{first:08d}.json"


def first_number(key: str) -> int | None:
    """The number of a batch's first class; None if the key is not that of a batch."""
    match = _KEY.fullmatch(key)
    return int(match[1]) if match else None


def encode_batch(classes: Iterable[str]) -> bytes:
    """The document of new classes. The same classes, in any order, give the same bytes."""
    document = {"v": _VERSION, "classes": sorted(set(classes))}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def numbers_of(batches: Mapping[str, bytes]) -> dict[str, int]:
    """The number of each class, rising, from all batches by their keys.

    Raises DocumentError unless they number the classes from 0 without a gap, each once.
    """
    numbers: dict[str, int] = {}
    for first, body in sorted((_first_of(key), body) for key, body in batches.items()):
        if first != len(numbers):
            raise DocumentError(f"{batch_key(first)} should begin with number {len(numbers)}.")
        for name in _classes(first, body):
            if name in numbers:
                raise DocumentError(f"The class {name!r} has two numbers.")
            numbers[name] = len(numbers)
    return numbers


def text_of(numbers: Mapping[str, int]) -> str:
    """One class per line: line n, counted from 0, is the class with number n."""
    return "".join(f"{name}\n" for name in sorted(numbers, key=numbers.__getitem__))


def _first_of(key: str) -> int:
    first = first_number(key)
    if first is None:
        raise DocumentError(f"{key} is not the key of a batch of labels.")
    return first


def _classes(first: int, body: bytes) -> list[str]:
    try:
        document = json.loads(body)
        version, classes = document["v"], document["classes"]
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError(f"{batch_key(first)} cannot be read: {error!r}.") from error
    if version != _VERSION or not isinstance(classes, list) or not classes:
        raise DocumentError(f"{batch_key(first)} is not a batch of labels of version {_VERSION}.")
    return [str(name) for name in classes]
