"""Translations of earlier starts, kept on disk.

To import AWS's translator takes half of the processor time of a start, and a template seldom
changes. A file is named by all that its content depends on, so that it is never out of date.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from imagemill_engine.shapes import Document

Translate = Callable[[Document], Document]

MOST_FILES = 16
_FORMAT = "1"


def cache_folder() -> Path:
    """Where this user's programs keep what can be made anew (the XDG base directories)."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(chosen) if Path(chosen).is_absolute() else Path("~/.cache").expanduser()
    return base / "imagemill" / "templates"


def translated_once(template: Document, translate: Translate) -> Document:
    """What `translate` makes of the template, or has made of it before.

    A folder that cannot be read or written costs the time of a translation. Raises as `translate`.
    """
    from samtranslator import __version__ as version  # of this package alone a moment's import

    content = json.dumps([_FORMAT, version, template])
    name = hashlib.sha256(content.encode()).hexdigest() + ".json"
    with suppress(OSError, RuntimeError, ValueError):  # no home, no file yet, or half of one
        found: Document = json.loads((cache_folder() / name).read_text(encoding="utf-8"))
        return found
    result = translate(template)
    with suppress(OSError, RuntimeError):
        _keep(cache_folder() / name, json.dumps(result))
    return result


def _keep(path: Path, content: str) -> None:
    """Write a file whole or not at all, and remove the oldest of too many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_text(content, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    files = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for old in files[:-MOST_FILES]:
        old.unlink(missing_ok=True)
