"""Lists a bucket by many requests at once, though a listing of S3 goes page by page.

A range of keys that is not over after some pages is cut where its keys may differ, and its pieces
are listed at the same time. The cuts are guesses from the characters that keys have shown so far;
a wrong guess costs a request, and no key is missed, as the pieces always make up the range.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise

from obstore.store import ObjectStore

from imagemill_contract.documents import SourceObject

PAGE_OBJECTS = 1000  # as many as S3 gives at once
FIRST_PAGES = 2  # small sources are done after the first request or two
PAGES_BEFORE_A_CUT = 16
REQUESTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Range:
    """Keys after `after` up to and including `last`; None is the end of the bucket."""

    after: str
    last: str | None


@dataclass(frozen=True, slots=True)
class _Listed:
    objects: list[SourceObject]
    rest: _Range | None
    alphabet: frozenset[str]


def listed_objects(store: ObjectStore, prefix: str) -> list[SourceObject]:
    """All objects below a prefix, in key order."""
    found: list[SourceObject] = []
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        whole = _Range("", None)
        waiting: set[Future[_Listed]] = {pool.submit(_list, store, prefix, whole, FIRST_PAGES)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for listed in (future.result() for future in done):
                found += listed.objects
                if listed.rest:
                    pieces = _pieces(listed.rest, prefix, listed.alphabet)
                    waiting |= {
                        pool.submit(_list, store, prefix, piece, PAGES_BEFORE_A_CUT)
                        for piece in pieces
                    }
    found.sort(key=lambda item: item.key)
    return _each_once(found)


def _list(store: ObjectStore, prefix: str, part: _Range, most_pages: int) -> _Listed:
    pages = store.list(prefix or None, offset=part.after or None, chunk_size=PAGE_OBJECTS)
    objects: list[SourceObject] = []
    for number, page in enumerate(pages, start=1):
        for meta in page:
            key = meta["path"]
            if part.last is not None and key > part.last:
                return _Listed(objects, None, frozenset())
            if key.startswith(prefix):  # obstore names the folder object `a/` as `a`
                objects.append(SourceObject(key, (meta["e_tag"] or "").strip('"'), meta["size"]))
        if number >= most_pages and len(page) >= PAGE_OBJECTS:
            rest = _Range(page[-1]["path"], part.last)
            return _Listed(objects, rest, _characters(objects[-PAGE_OBJECTS:], prefix))
    return _Listed(objects, None, frozenset())


def _each_once(found: Iterable[SourceObject]) -> list[SourceObject]:
    """Sorted objects without repetitions.

    obstore names the folder object `a/` as `a`: a listing that begins after it begins too early.
    Of an object and a folder object of one name the object is kept.
    """
    unique: list[SourceObject] = []
    for item in found:
        if not unique or unique[-1].key != item.key:
            unique.append(item)
        elif item.bytes > unique[-1].bytes:
            unique[-1] = item
    return unique


def _characters(objects: Iterable[SourceObject], prefix: str) -> frozenset[str]:
    return frozenset("".join(item.key[len(prefix) :] for item in objects))


def _pieces(rest: _Range, prefix: str, alphabet: frozenset[str]) -> list[_Range]:
    """The same range in pieces: cut at the first place where a key after `after` may differ.

    No cut ends in a slash, which obstore takes off: a listing would begin too early.
    """
    for place in range(len(prefix), len(rest.after)):
        later = sorted(character for character in alphabet - {"/"} if character > rest.after[place])
        cuts = [rest.after[:place] + character for character in later]
        cuts = [cut for cut in cuts if rest.last is None or cut < rest.last]
        if cuts:
            borders = [rest.after, *cuts]
            pieces = [_Range(after, last) for after, last in pairwise(borders)]
            return [*pieces, _Range(cuts[-1], rest.last)]
    return [rest]
