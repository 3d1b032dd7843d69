"""Rests Python's collector of cycles while very many objects are made that have none."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def uncollected(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The function, while which no cycles are collected.

    The collector looks at all rows in memory again and again: of the seconds of a slice it takes a
    sixth, and it finds nothing.
    """

    @wraps(function)
    def resting(*arguments: Given.args, **named: Given.kwargs) -> Answer:
        if not gc.isenabled():
            return function(*arguments, **named)
        gc.disable()
        try:
            return function(*arguments, **named)
        finally:
            gc.enable()

    return resting
