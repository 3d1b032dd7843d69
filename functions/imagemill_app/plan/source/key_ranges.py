"""Lists keys in parallel: a thread that is free takes half of what another one has left.

A listing returns keys in order and can begin after any key, so a range can be cut anywhere that
nobody has listed yet. This needs no knowledge of folders or names. A cut that finds no keys costs
one request and improves the next guess.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from os.path import commonprefix
from threading import Condition

from imagemill_contract.documents import SourceObject
from imagemill_contract.source_keys import is_readable_key

LANES = 16
PAGES_PER_BORDER = 50

# Where a key may be cut: names outside these characters are listed, too, but by one lane.
_ALPHABET = "-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_DIGITS = 48  # characters of a key that count in the halving

# Gives the objects after a key (None: from the start), in key order, page by page.
PagesAfter = Callable[[str | None], Generator[list[SourceObject], None, None]]


@dataclass(slots=True, eq=False)
class _Range:
    """The keys after `seen`, up to and including `end` (None: all), and the pages seen so far."""

    seen: str
    end: str | None
    pages: list[list[SourceObject]] = field(default_factory=list)
    is_whole: bool = False


class TooManyObjectsError(Exception):
    """There are more objects than were asked for. `borders` are keys between them, in order."""

    def __init__(self, borders: list[str]) -> None:
        super().__init__(f"too many objects, in {len(borders) + 1} ranges")
        self.borders = borders


def list_in_ranges(
    pages_after: PagesAfter, prefix: str, most_objects: int | None = None
) -> list[SourceObject]:
    """All objects below `prefix`, in key order. A single page costs a single request.

    Raises TooManyObjectsError, soon after it has seen more than `most_objects`.
    """
    listing = _RangedListing(pages_after, prefix, most_objects)
    if listing.is_all_on_first_page():
        return listing.found()
    with ThreadPoolExecutor(LANES, "list") as pool:
        for lane in [pool.submit(listing.work) for _ in range(LANES)]:
            lane.result()
    return listing.found()


class _RangedListing:
    def __init__(self, pages_after: PagesAfter, prefix: str, most_objects: int | None) -> None:
        self._pages_after = pages_after
        self._prefix = prefix
        self._left = most_objects
        self._waiting: list[_Range] = []
        self._active: list[_Range] = []
        self._done: list[_Range] = []
        self._ended = False  # before its time: it has failed, or there are too many objects
        self._changed = Condition()

    def is_all_on_first_page(self) -> bool:
        whole = _Range("", None)
        with closing(self._pages_after(None)) as pages:
            whole.pages = list(islice(pages, 2))
        self._count(sum(map(len, whole.pages)))
        if len(whole.pages) < 2:
            self._done.append(whole)
            return True
        whole.seen = whole.pages[-1][-1].key
        self._waiting.append(whole)
        return False

    def found(self) -> list[SourceObject]:
        """Raises TooManyObjectsError if these are not all."""
        if self._ended:
            raise TooManyObjectsError(self._borders())
        pages = [page for part in self._done for page in part.pages]
        pages.sort(key=lambda page: page[0].key)
        return [item for page in pages for item in page]

    def work(self) -> None:
        """List ranges until none is left."""
        try:
            while (part := self._next_range()) is not None:
                with closing(self._pages_after(part.seen or None)) as pages:
                    while self._take(part, next(pages, [])):
                        pass
        except BaseException:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            raise

    def _take(self, part: _Range, page: list[SourceObject]) -> bool:
        """Keep what lies in the range, and return whether there may be more."""
        with self._changed:
            in_range = page
            if part.end is not None:
                in_range = page[: bisect_right(page, part.end, key=lambda item: item.key)]
            part.is_whole = not page or len(in_range) < len(page)
            if in_range:
                part.pages.append(in_range)
                part.seen = in_range[-1].key
                self._count(len(in_range))
            has_more = not part.is_whole and not self._ended
            if not has_more:
                self._active.remove(part)
                self._done.append(part)
            self._changed.notify_all()
            return has_more

    def _count(self, objects: int) -> None:
        if self._left is not None:
            self._left -= objects
            self._ended = self._ended or self._left < 0

    def _borders(self) -> list[str]:
        """Where ranges meet, but for those that have few objects and are joined to the next."""
        borders, pages = [], 0
        parts = [*self._done, *self._active, *self._waiting]
        for part in sorted((part for part in parts if part.end), key=lambda part: part.end or ""):
            pages += len(part.pages)
            if part.end and (not part.is_whole or pages >= PAGES_PER_BORDER):
                borders.append(part.end)
                pages = 0
        return borders

    def _next_range(self) -> _Range | None:
        """A range to list: one that waits, or half of another; None when everything is listed."""
        with self._changed:
            while not self._ended:
                part = self._waiting.pop() if self._waiting else self._half_of_largest()
                if part is not None:
                    self._active.append(part)
                    return part
                if not self._active:
                    return None
                self._changed.wait()
            return None

    def _half_of_largest(self) -> _Range | None:
        candidates = [part for part in self._active if part.pages]
        for part in sorted(candidates, key=self._pages_left, reverse=True):
            if self._pages_left(part) < 2:
                return None
            cut = middle(part.seen, part.end, self._prefix)
            if cut is not None:
                half = _Range(cut, part.end)
                part.end = cut
                return half
        return None

    def _pages_left(self, part: _Range) -> float:
        """An estimate of the pages left, if keys lie as dense as in the pages seen."""
        first, seen, end = (
            _number(key, self._prefix) for key in (part.pages[0][0].key, part.seen, part.end)
        )
        return len(part.pages) * (end - seen) / max(seen - first, 1)


def middle(seen: str, end: str | None, prefix: str) -> str | None:
    """A text between two keys below `prefix`, as short as possible; None if none is found."""
    common = prefix if end is None else commonprefix([seen, end])  # noqa: RUF071 # by characters
    number = (_number(seen, common) + _number(end, common)) // 2
    digits = ""
    for place in reversed(range(_DIGITS)):
        digits += _ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)]
        # a store begins at readable keys only: `0` is the first character after `.` and `/`
        for cut in (common + digits, common + digits[:-1] + "0"):
            if seen < cut and is_readable_key(cut) and (end is None or cut < end):
                return cut
    return None


def _number(key: str | None, common: str) -> int:
    """A number for a key that begins with `common`, in the order of keys; None is the largest."""
    base = len(_ALPHABET)
    if key is None:
        return int(base**_DIGITS)
    number = 0
    for character in key[len(common) : len(common) + _DIGITS].ljust(_DIGITS, "\0"):
        number = number * base + max(bisect_right(_ALPHABET, character) - 1, 0)
    return number
