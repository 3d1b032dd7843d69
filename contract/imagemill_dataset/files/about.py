"""What a person says of a dataset in `about.json`: its licence and what no program can know."""

from __future__ import annotations

import json
from typing import Any

from imagemill_contract.fields import shown

TEXTS = ("pretty_name", "description", "license", "homepage", "citation")
LISTS = ("tags", "language", "task_categories")


def about_of(body: bytes | None) -> dict[str, Any]:
    """The fields in `about.json`, or one sentence as `problem` if it cannot be read as such.

    A mistake in it must not keep a dataset from being published, so it is told where people look.
    """
    if body is None:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        return {"problem": f"about.json is not JSON: {error}."}
    if not isinstance(document, dict):
        return {"problem": f"about.json: {shown(document)} is not an object of fields."}
    for name, value in document.items():
        if not _is_allowed(name, value):
            wanted = f"a text in {', '.join(TEXTS)}, or a list of texts in {', '.join(LISTS)}"
            return {"problem": f"about.json.{name}: {shown(value)} is not {wanted}."}
    return document


def _is_allowed(name: str, value: object) -> bool:
    if name in LISTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return name in TEXTS and isinstance(value, str)
