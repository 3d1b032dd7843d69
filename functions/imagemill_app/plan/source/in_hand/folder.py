"""The files of a folder, as objects."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from obstore.exceptions import BaseError, InvalidPathError

from imagemill_app.plan.source.in_hand.key_order import Found
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.folder_source import names_in, printable_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status

# Keys that every store takes as they are.
_PLAIN_KEY = re.compile(r"[\w ()+,=@-][\w .()+,=@-]*(/[\w ()+,=@-][\w .()+,=@-]*)*", re.ASCII)


def files_in(source: Location, ignored: Counter[str]) -> Iterator[Found]:
    """Everything below a folder, in the order of keys; what is left out is counted in `ignored`.

    Raises RunRefused for what is no folder.
    """
    folder = Path(source.folder)
    if not folder.is_dir():
        raise RunRefused(f'source: "{source}" is not a folder.')
    for found in names_in(folder, _refuse_folder):
        if found.left_out is None:
            yield from _file_object(source, found.key, ignored)
        else:
            ignored[found.left_out] += 1


def _refuse_folder(error: OSError) -> NoReturn:
    """Raises RunRefused: a folder that cannot be listed must not pass for an empty one."""
    raise RunRefused(f'source: "{error.filename}" cannot be listed: {error.strerror}.')


def _file_object(source: Location, key: str, ignored: Counter[str]) -> Iterator[Found]:
    plain = _plain_file(source, key)
    if plain is not None:
        yield plain
        return
    try:
        meta = store_of(source.root).head(key)
    except (InvalidPathError, ValueError):
        yield _unreadable_key(key)
    except FileNotFoundError:
        ignored["deleted while it was listed"] += 1
    except (BaseError, OSError) as error:
        detail = f"It cannot be read: {str(error).partition(chr(10))[0]}"
        yield Outcome(key, Status.FAILED, Reason.ACCESS_DENIED, detail)
    else:
        yield SourceObject(key, _plain(meta["e_tag"]), meta["size"])


def _plain_file(source: Location, key: str) -> SourceObject | None:
    """A file as obstore would describe it, in a tenth of its time; None for any case of doubt."""
    path = Path(source.folder, key)
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    if not _PLAIN_KEY.fullmatch(key) or not stat.S_ISREG(found.st_mode):
        return None
    if not os.access(path, os.R_OK):
        return None
    etag = f"{found.st_ino:x}-{found.st_mtime_ns // 1000:x}-{found.st_size:x}"
    return SourceObject(key, etag, found.st_size)


def _unreadable_key(key: str) -> Outcome:
    detail = "Its name has a control character, or is not UTF-8."
    return Outcome(printable_key(key), Status.REJECTED, Reason.UNREADABLE_KEY, detail)


def _plain(etag: str | None) -> str:
    return (etag or "").strip('"')
