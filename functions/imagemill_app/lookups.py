"""Looks objects up one by one, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from obstore import ObjectMeta
from obstore.store import ObjectStore

from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Outcome, Reason, Status

LANES = 32
_AT_ONCE = 10_000  # look-ups that wait for a lane


@dataclass(frozen=True, slots=True)
class NamedObject:
    """What a manifest says of an object. `etag` and `bytes` are None where it says nothing."""

    key: str
    etag: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Objects with all that is to be known of them, and outcomes of those that are gone."""

    objects: list[SourceObject]
    gone: list[Outcome]


def with_identity(named: Iterable[NamedObject], store: ObjectStore) -> LookedUp:
    """Look up those whose ETag or size is not known."""
    objects: list[SourceObject] = []
    unknown: list[str] = []
    for item in named:
        if item.etag and item.bytes is not None:
            objects.append(SourceObject(item.key, item.etag, item.bytes))
        else:
            unknown.append(item.key)
    gone: list[Outcome] = []
    for key, meta in _heads(unknown, store):
        if meta is None:
            detail = "The manifest names it, but there is no such object."
            gone.append(Outcome(key, Status.REJECTED, Reason.GONE, detail))
        else:
            objects.append(SourceObject(key, plain_etag(meta["e_tag"]), meta["size"]))
    return LookedUp(objects, gone)


def missing_keys(keys: Iterable[str], store: ObjectStore) -> list[str]:
    """Those of `keys` that no object has."""
    return [key for key, meta in _heads(keys, store) if meta is None]


def plain_etag(etag: str | None) -> str:
    return (etag or "").strip('"')


def _heads(keys: Iterable[str], store: ObjectStore) -> Iterator[tuple[str, ObjectMeta | None]]:
    def head(key: str) -> tuple[str, ObjectMeta | None]:
        try:
            return key, store.head(key)
        except FileNotFoundError:
            return key, None

    rest = iter(keys)
    batch = list(islice(rest, _AT_ONCE))
    if not batch:
        return
    with ThreadPoolExecutor(LANES, "head") as pool:
        while batch:
            yield from pool.map(head, batch)
            batch = list(islice(rest, _AT_ONCE))
