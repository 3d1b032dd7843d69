"""Leaves out objects whose bytes are those of another, if the recipe wants each picture once."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from imagemill_app.plan.sifting.collisions import Sifted
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.index import Entry

READS_AT_ONCE = 32
_PIECE_BYTES = 4096

Key = TypeVar("Key")


def without_copies(
    objects: Sequence[SourceObject], source: Location, known: Mapping[str, Entry]
) -> Sifted:
    """Refuse objects with the same bytes as one that is kept.

    Kept is the one that an earlier run has done, as `known` says by relative keys, or else the
    first in the order of keys. So what has a result keeps it, whatever is added before it.

    Objects in a bucket are the same if they have the same length and ETag; so copies are not found
    that were uploaded in other parts, or encrypted with keys of KMS or of the customer. Of files
    that have the same length, the bytes are compared, by SHA-256.
    """
    by_content = groups_of_files if source.is_file else _by_etag
    refused: dict[str, Outcome] = {}
    for same in by_content(objects, source):
        kept = min(same, key=lambda item: not is_done(item, source, known))
        for item in same:
            if item is not kept:
                detail = f"It has the same bytes as {kept.key}."
                refused[item.key] = Outcome(item.key, Status.REJECTED, Reason.DUPLICATE, detail)
    return Sifted([item for item in objects if item.key not in refused], list(refused.values()))


def without_earlier_copies(
    objects: Sequence[SourceObject],
    source: Location,
    known: Mapping[str, Entry],
    earlier: Iterable[tuple[str, Entry]],
    is_there: Callable[[str], bool],
) -> Sifted:
    """Refuse objects of a bucket whose bytes an earlier run has done under another key.

    `earlier` has all rows of the index, `known` those of the objects. A picture of this source
    counts only if it `is_there`, by its relative key: a copy takes the place of one that is gone.
    """
    wanted = {item.etag: item for item in objects if item.etag and not is_done(item, source, known)}
    refused: dict[str, Outcome] = {}
    own = frozenset(relative_key(item.key, source.prefix) for item in objects) if wanted else ()
    for relative, entry in earlier if wanted and not source.is_file else ():
        item = None if entry.reason else wanted.get(entry.etag)
        if item is None or item.key in refused or relative in own:
            continue
        is_copy = entry.bytes in (0, item.bytes)  # 0: an earlier version did not note it
        if is_copy and (entry.run.source != str(source) or is_there(relative)):
            detail = f"It has the same bytes as {relative}, which an earlier run has done."
            refused[item.key] = Outcome(item.key, Status.REJECTED, Reason.DUPLICATE, detail)
    return Sifted([item for item in objects if item.key not in refused], list(refused.values()))


def is_done(item: SourceObject, source: Location, known: Mapping[str, Entry]) -> bool:
    """Whether an earlier run has a result of these bytes."""
    entry = known.get(relative_key(item.key, source.prefix))
    return entry is not None and entry.reason is None and entry.etag == item.etag


def _by_etag(
    objects: Iterable[SourceObject], _source: Location
) -> Iterable[Sequence[SourceObject]]:
    return _several(objects, lambda item: (item.bytes, item.etag) if item.etag else None)


def groups_of_files(
    objects: Iterable[SourceObject], source: Location
) -> Iterable[Sequence[SourceObject]]:
    """Files with the same bytes, where there are several.

    Most files of the same length differ in a piece in their middle: few are read whole.
    """
    folder = Path(source.folder)
    alike = _several(objects, lambda item: item.bytes or None)
    for of_piece in (_piece, _digest):
        alike = _read_alike(alike, folder, of_piece)
    return alike


def _read_alike(
    groups: Iterable[Sequence[SourceObject]], folder: Path, part: Callable[[Path], bytes | None]
) -> list[Sequence[SourceObject]]:
    """Groups divided further, by what is read of each file."""
    items = [(item, number) for number, same in enumerate(groups) for item in same]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        parts = pool.map(lambda pair: part(folder / pair[0].key), items)
        found = dict(zip((item.key for item, _ in items), parts, strict=True))
    numbers = {item.key: number for item, number in items}

    def kind(item: SourceObject) -> tuple[int, bytes] | None:
        read = found[item.key]
        return None if read is None else (numbers[item.key], read)

    return _several([item for item, _ in items], kind)


def _several(
    objects: Iterable[SourceObject], kind: Callable[[SourceObject], Key | None]
) -> list[Sequence[SourceObject]]:
    """Objects of the same kind, where there are several; those without a kind are left out."""
    groups: dict[Key, list[SourceObject]] = defaultdict(list)
    for item in objects:
        found = kind(item)
        if found is not None:
            groups[found].append(item)
    return [same for same in groups.values() if len(same) > 1]


def _piece(path: Path) -> bytes | None:
    """Some bytes in the middle; None for a file that cannot be read, as its job will tell."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size // 2 - _PIECE_BYTES // 2))
            return file.read(_PIECE_BYTES)
    except OSError:
        return None


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
