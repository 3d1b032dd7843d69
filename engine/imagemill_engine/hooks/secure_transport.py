"""Plain HTTP to the engine counts as secure transport: nobody listens within one machine.

The buckets of the stack deny requests without TLS, and the engine has no certificate.
"""

from __future__ import annotations

from ministack.core import iam_evaluator

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Function


def install() -> None:
    """Answer the condition key of the buckets' policies."""
    patching.wrap(iam_evaluator, "_resolve_condition_key", ["key", "ctx"], condition_value)


def condition_value(original: Function, key: str, context: object) -> object:
    """The value of a condition key, as a policy writes it."""
    if key.lower() == "aws:securetransport":
        return "true"
    return original(key, context)
