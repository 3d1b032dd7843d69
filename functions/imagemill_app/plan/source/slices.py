"""Slices: consecutive objects of a source, few enough to be held in memory and planned at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, takewhile

from imagemill_app.plan.source.bucket_listing import found_after
from imagemill_app.plan.source.filters import excluded_names
from imagemill_app.plan.source.listing import Listing, listing_of, taken
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.requests.request import RunRequest

SLICES_PER_RANGE = 1_000


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys after `after` and up to `until`; None: all that follow."""

    after: str = ""
    until: str | None = None

    def has(self, key: str) -> bool:
        return key > self.after and (self.until is None or key <= self.until)

    def places_in(self, keys: Sequence[str]) -> slice:
        """Where the range is among keys, which are in order."""
        last = len(keys) if self.until is None else bisect_right(keys, self.until)
        return slice(bisect_right(keys, self.after), last)

    @property
    def is_everything(self) -> bool:
        return not self.after and self.until is None


def ranges_between(borders: Sequence[str]) -> list[KeyRange]:
    """The ranges that borders, which are in order, cut all keys into."""
    return [KeyRange(after or "", until) for after, until in pairwise([None, *borders, None])]


def slice_number(range_number: int, count: int) -> int:
    """The number of the slice that comes after `count` others in a range."""
    return range_number * SLICES_PER_RANGE + count


ALL_KEYS = KeyRange()


@dataclass(frozen=True, slots=True)
class FoundSlice:
    """What lies in a slice.

    Attributes:
        listing: The objects.
        keys: The range of keys that was looked at.
        is_last: Whether nothing is left to be looked at after it.
    """

    listing: Listing
    keys: KeyRange
    is_last: bool


def list_slice(
    request: RunRequest, source: Location, keys: KeyRange, kept: int, most_objects: int
) -> FoundSlice:
    """The first objects of a range of a bucket's keys, at most so many, filtered.

    `kept` is how many objects of the range were taken before, of those that the request's limit
    allows. When there are as many as that, the rest is not listed.
    """
    found = _found(source, keys)
    first = list(islice(found, most_objects))
    is_last = next(found, None) is None
    last = keys.until if is_last else first[-1].key
    selection = request.selection
    if selection.limit is not None:
        selection = replace(selection, limit=selection.limit - kept)
    listing = taken(listing_of(first), source, selection, excluded_names(request.selection))
    is_enough = selection.limit is not None and len(listing.objects) >= selection.limit
    return FoundSlice(listing, KeyRange(keys.after, last), is_last or is_enough)


def _found(source: Location, keys: KeyRange) -> Iterator[SourceObject]:
    found = found_after(source, keys.after)
    if keys.until is None:
        return found
    until = keys.until
    return takewhile(lambda item: item.key <= until, found)
