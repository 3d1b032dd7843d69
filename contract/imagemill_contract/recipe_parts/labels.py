"""The names of a model's scores."""

from __future__ import annotations

import json
from collections import Counter

MOST_BYTES = 64_000  # as JSON: a recipe goes through the state machine, which carries 256 KiB


class Labels(tuple[str, ...]):
    """Names of scores, in their order; empty for those that have none."""

    __slots__ = ()


class LabelList:
    allowed = f"a list of different names, of {MOST_BYTES:,} bytes at most"

    def read(self, value: object) -> Labels:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError(value)
        if len(json.dumps(value, ensure_ascii=False).encode()) > MOST_BYTES:
            raise ValueError("...")
        twice = [name for name, count in Counter(value).items() if count > 1]
        if twice:
            raise ValueError(twice[0])
        return Labels(value)
