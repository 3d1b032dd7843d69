"""Side-car files: `a.json` and `a.txt` beside `a.jpg`, as webdataset has them."""

from __future__ import annotations

import json
from collections.abc import Callable

from imagemill_app.stores import store_of
from imagemill_contract.fields import shown
from imagemill_contract.locations import Location
from imagemill_contract.recipe_parts.columns import CAPTION, Row

MOST_BYTES = 1 << 20


def sidecar_row(source: Location, key: str, may_exist: Callable[[str], bool]) -> Row:
    """What the side-car files of an object say: fields of its JSON, and its text as `caption`.

    A `caption` in the JSON counts more than the text. Files that cannot be there are not asked for.

    Raises ValueError with one sentence for a file that cannot be read as such.
    """
    folder, slash, name = key.rpartition("/")
    stem = f"{folder}{slash}{name.rpartition('.')[0] or name}"
    text = _text_at(source, f"{stem}.txt", may_exist)
    row: dict[str, object] = {} if text is None else {CAPTION: text.strip()}
    document = _text_at(source, f"{stem}.json", may_exist)
    return row if document is None else row | _fields(document, f"{name.rpartition('.')[0]}.json")


def _fields(document: str, name: str) -> dict[str, object]:
    try:
        values = json.loads(document)
    except ValueError as error:
        raise ValueError(f"Its {name} is not JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ValueError(f"Its {name} is {shown(values)}, which is no object of fields.")
    return {str(field).lower(): value for field, value in values.items()}


def _text_at(source: Location, key: str, may_exist: Callable[[str], bool]) -> str | None:
    """The text of a file, or None without one."""
    if not may_exist(key):
        return None
    try:
        found = store_of(source.root).get(key)
    except FileNotFoundError:
        return None
    name = key.rpartition("/")[2]
    if found.meta["size"] > MOST_BYTES:
        raise ValueError(f"Its {name} has more than {MOST_BYTES:,} bytes.")
    try:
        return found.bytes().to_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"Its {name} is not a text in UTF-8.") from None
