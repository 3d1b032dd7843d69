"""The rules of fields about a model: where it lies, which one it is, and what is kept of it."""

from __future__ import annotations

import re

_MOST_EXPRESSION = 500
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ModelAddress:
    """Where a model lies, or an empty text for none."""

    allowed = "the address of a file: s3://bucket/key or file:///path"

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(value)
        if value and (not value.startswith(("s3://", "file:///")) or value.endswith("/")):
            raise ValueError(value)
        return value


class Expression:
    """A condition on scores, or an empty text for none; whoever evaluates it knows its grammar."""

    allowed = "an expression of score, scores and predicted, such as score > 0.5"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > _MOST_EXPRESSION or "\n" in value:
            raise ValueError(value)
        return value.strip()


class Digest:
    """A SHA-256, or an empty text for any."""

    allowed = "64 hexadecimal digits"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or (value and not _DIGEST.fullmatch(value)):
            raise ValueError(value)
        return value
