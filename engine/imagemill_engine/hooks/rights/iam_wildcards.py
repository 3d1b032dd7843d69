"""Wildcards of policies match every character: a key may have a line break in it."""

from __future__ import annotations

import re
from functools import cache

from ministack.core import iam_evaluator

from imagemill_engine.hooks import patching


def install() -> None:
    """Replace the patterns of the emulator, whose wildcards end at a line break."""
    parameters = ["pattern", "ignore_case"]
    patching.replace(iam_evaluator, "_fnmatch_compile", parameters, compiled)


@cache
def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A policy's pattern, as the emulator calls its own function."""
    marks = {"*": ".*", "?": "."}
    text = "".join(marks.get(character) or re.escape(character) for character in pattern)
    return re.compile(rf"{text}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))
