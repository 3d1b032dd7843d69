"""From what was typed to the JSON value that the contract checks."""

from __future__ import annotations

import json


def json_or_text(text: str) -> object:
    """The JSON value in `text`, or the text itself if it is not JSON."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def number_or_text(text: str) -> object:
    """`128` and `0.5` as numbers, anything else as text."""
    value = json_or_text(text)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text
