"""AWS::Serverless into CloudFormation, by AWS's own translator.

In the process that deploys, which has to wait for the engine anyway; CloudFormation's own transform
is the same library. To import it takes half of that process's time, and a template seldom changes:
so translations are kept on disk. A file is named by all that its content depends on.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from imagemill_engine.errors import DeployError
from imagemill_engine.shapes import Document

Translate = Callable[[Document], Document]

TRANSFORM = "AWS::Serverless-2016-10-31"
MOST_FILES = 16
_FORMAT = "1"


def translated(template: Document) -> Document:
    """The template without its transform. Raises DeployError."""
    if template.get("Transform") != TRANSFORM:
        return template
    return translated_once(template, _translated)


def cache_folder(kind: str) -> Path:
    """Where this user's programs keep what can be made anew (the XDG base directories)."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(chosen) if Path(chosen).is_absolute() else Path("~/.cache").expanduser()
    return base / "imagemill" / kind


def translated_once(template: Document, translate: Translate) -> Document:
    """What `translate` makes of the template, or has made of it before.

    A folder that cannot be read or written costs the time of a translation. Raises as `translate`.
    """
    from samtranslator import __version__ as version  # of this package alone a moment's import

    content = json.dumps([_FORMAT, version, template])
    name = hashlib.sha256(content.encode()).hexdigest() + ".json"
    with suppress(OSError, RuntimeError, ValueError):  # no home, no file yet, or half of one
        found: Document = json.loads((cache_folder("templates") / name).read_text(encoding="utf-8"))
        return found
    result = translate(template)
    with suppress(OSError, RuntimeError):
        _keep(cache_folder("templates") / name, json.dumps(result))
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


def _translated(template: Document) -> Document:
    # imported here, as it takes a fifth of a second
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils import py27hash_fix as hashes

    from imagemill_engine.boto_clients import session

    # the names of some resources are hashes, which Python 2 has settled for all time
    document = copy.deepcopy(template)
    hashes.to_py27_compatible_template(document, {})
    translator = Translator(None, Parser(), boto_session=session())
    try:
        done = translator.translate(document, {}, get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise DeployError(f"The template is refused: {causes}") from error
    result: Document = hashes.undo_mark_unicode_str_in_template(done)
    return result
