"""Lists a source: its pictures, objects that no job can be given, and what is no picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from operator import attrgetter

from imagemill_app.plan.source.bucket_listing import found_in
from imagemill_app.plan.source.filters import excluded_names, selected
from imagemill_app.plan.source.in_hand.folder import files_in
from imagemill_app.plan.source.in_hand.key_order import Found, in_key_order
from imagemill_app.plan.source.in_hand.manifests import manifest_objects
from imagemill_contract.documents import SourceObject
from imagemill_contract.folder_source import LeftOut
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.requests.request import RunRequest
from imagemill_contract.requests.selection import Selection
from imagemill_contract.source_keys import may_be_picture

_KEY = attrgetter("key")
_NOTHING: Mapping[str, int] = {}


@dataclass(slots=True)
class Listing:
    """Everything that was found, each object in exactly one place.

    Attributes:
        objects: What jobs are given, in key order.
        refused: Outcomes of objects that no job can be given.
        ignored: How many objects were left out, by reason.
        all_keys: Every key of the source, or of this piece of it; None if it was not listed whole.
        last_key: The last key of this piece; None if no piece follows.
    """

    objects: list[SourceObject] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    all_keys: frozenset[str] | None = None
    last_key: str | None = None

    def ignore(self, reason: str, count: int = 1) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + count


def gather(request: RunRequest, source: Location, most_objects: int) -> Iterator[Listing]:
    """The objects of a source that a request takes, from a listing or a manifest, and filtered.

    They come in pieces, one after the other in key order, none of which has more than
    `most_objects`.

    Raises RunRefused if there is no such folder, bucket, manifest or list of exclusions, and
    TooManyObjectsError if a bucket has more than `most_objects`.
    """
    excluded, selection = excluded_names(request.selection), request.selection
    for piece in _pieces(request, source, most_objects):
        listing = taken(piece, source, selection, excluded)
        if selection.limit is not None:
            selection = replace(selection, limit=selection.limit - len(listing.objects))
        yield listing


def _pieces(request: RunRequest, source: Location, most_objects: int) -> Iterator[Listing]:
    ignored: Counter[str] = Counter()
    if request.manifest is not None:
        found_rows = manifest_objects(request.manifest, source, request.recipe.columns)
        named = _named_objects(found_rows, ignored)
        found = _named_once(in_key_order(named, most_objects), ignored)
        yield from in_pieces(found, ignored, most_objects, is_whole=False)
    elif source.is_file:
        yield from in_pieces(files_in(source, ignored), ignored, most_objects, is_whole=True)
    else:
        yield listing_of(found_in(source, most_objects))


def in_pieces(
    found: Iterable[Found], ignored: Counter[str], most_objects: int, *, is_whole: bool
) -> Iterator[Listing]:
    """Listings of what was found, which is in key order: at least one, and none is too long.

    `ignored` are counts of what is left out while it is found. `is_whole` says whether nothing else
    is at the source.
    """
    rest = iter(found)
    held = list(islice(rest, most_objects))
    while True:
        following = list(islice(rest, most_objects))
        refused = [item for item in held if isinstance(item, Outcome)]
        objects = [item for item in held if isinstance(item, SourceObject)]
        last = held[-1].key if following else None
        yield listing_of(objects, refused, dict(ignored), is_whole=is_whole, last_key=last)
        ignored.clear()
        if not following:
            return
        held = following


def taken(
    listing: Listing, source: Location, selection: Selection, excluded: frozenset[str]
) -> Listing:
    """The listing without the objects that filters leave out, which are counted."""
    chosen = selected(listing.objects, source.prefix, selection, excluded)
    listing.objects = chosen.kept
    for reason, count in chosen.left_out.items():
        listing.ignore(reason, count)
    return listing


def listing_of(
    found: list[SourceObject],
    refused: Sequence[Outcome] = (),
    ignored: Mapping[str, int] = _NOTHING,
    *,
    is_whole: bool = True,
    last_key: str | None = None,
) -> Listing:
    """Everything that was found; what can be no picture is told apart."""
    listing = Listing(refused=list(refused), ignored=dict(ignored), last_key=last_key)
    listing.objects = [item for item in found if may_be_picture(item.key)]
    folders = sum(item.key.endswith("/") for item in found)
    others = len(found) - len(listing.objects) - folders
    for reason, count in (("folder object", folders), (LeftOut.NO_PICTURE, others)):
        if count:
            listing.ignore(reason, count)
    listing.objects.sort(key=_KEY)
    if is_whole:
        # refused objects exist, too: their outputs must not be pruned as those of deleted sources
        keys = chain(map(_KEY, found), map(_KEY, refused))
        listing.all_keys = frozenset(key for key in keys if key[-1:] != "/")
    return listing


def _named_objects(named: Iterable[Found | None], ignored: Counter[str]) -> Iterator[Found]:
    """What a manifest names below the source."""
    for item in named:
        if item is None:
            ignored["outside the source"] += 1
        else:
            yield item


def _named_once(found: Iterable[Found], ignored: Counter[str]) -> Iterator[Found]:
    """Of objects with the same key, which follow each other, the first."""
    last = ""
    for item in found:
        if isinstance(item, Outcome) or not may_be_picture(item.key):
            yield item
        elif item.key == last:
            ignored["named twice"] += 1
        else:
            last = item.key
            yield item
