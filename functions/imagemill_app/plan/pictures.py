"""The pictures that a request is about, and what else is at their source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from imagemill_app.ingest.inbox import sealed_uploads
from imagemill_app.plan.earlier.late_events import current_objects
from imagemill_app.plan.sifting.classes import with_class
from imagemill_app.plan.sifting.collisions import NO_OTHERS, Others, Sifted, collision_sieve
from imagemill_app.plan.sifting.columns import SideCars, with_columns
from imagemill_app.plan.sifting.copies import without_copies, without_earlier_copies
from imagemill_app.plan.source.filters import excluded_names, selected
from imagemill_app.plan.source.found_documents import FoundObjects
from imagemill_app.plan.source.listing import Listing, gather, in_pieces
from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.plan.source.slices import ALL_KEYS, FoundSlice, KeyRange
from imagemill_app.plan.totals import added
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest
from imagemill_contract.source_keys import may_be_picture
from imagemill_dataset.index import Entry
from imagemill_dataset.parts.part import Row


@dataclass(frozen=True, slots=True)
class Pictures:
    """What there is at a source, or in a range of its keys: what jobs can be given, and the rest.

    Attributes:
        source: The source.
        objects: What jobs can be given, in key order.
        refused: Outcomes of other objects.
        ignored: How many objects were left out, by reason.
        all_keys: Every key in the range; None if it was not listed whole.
        keys: The range of keys.
        gathering: The document of what it has taken to gather uploads; empty without any.
    """

    source: Location
    objects: list[SourceObject]
    refused: list[Outcome]
    ignored: dict[str, int]
    all_keys: frozenset[str] | None
    keys: KeyRange = ALL_KEYS
    gathering: Mapping[str, object] = field(default_factory=dict)

    def within(self, keys: KeyRange) -> Pictures:
        """Those in a smaller range. Who lists that range counts what is left out there."""
        return replace(
            self,
            objects=[item for item in self.objects if keys.has(item.key)],
            refused=[outcome for outcome in self.refused if keys.has(outcome.key)],
            ignored={},
            keys=keys,
        )

    def found(self) -> FoundObjects:
        """The same as its document has it."""
        others = None
        if self.all_keys is not None:
            others = sorted(self.all_keys.difference(item.key for item in self.objects))
        return FoundObjects(self.objects, self.refused, others)


def pictures_of(
    request: RunRequest, bucket: Location, output: Location, most_objects: int
) -> Iterator[Pictures]:
    """What a request is about, in ranges of keys with at most `most_objects`, one after the other.

    Raises RunRefused if there is nothing to be looked at, and TooManyObjectsError if a bucket that
    is listed has more than `most_objects`.
    """
    source, listings, gathering = _gathered(request, bucket, most_objects)
    sift = _sieve(source, request.recipe, output)
    after = ""
    for listing in listings:
        beside = SideCars(source, listing.all_keys, KeyRange(after, listing.last_key))
        sifted = _with_columns(sift(listing.objects), beside, request.recipe)
        yield Pictures(
            source,
            sifted.kept,
            [*listing.refused, *sifted.refused],
            listing.ignored,
            listing.all_keys,
            beside.keys,
            gathering,
        )
        after = listing.last_key or after


def pictures_in(
    request: RunRequest, source: Location, output: Location, found: FoundSlice
) -> Pictures:
    """What a request is about in a slice of a bucket."""
    listing = found.listing

    def is_taken(key: str) -> bool:
        item = looked_up(source, key) if may_be_picture(key) else None
        if item is None:
            return False
        excluded = excluded_names(request.selection)
        return bool(selected([item], source.prefix, request.selection, excluded).kept)

    others = Others(found.keys, is_taken)
    sift = _sieve(source, request.recipe, output, others)
    beside = SideCars(source, listing.all_keys, found.keys)
    sifted = _with_columns(sift(listing.objects), beside, request.recipe)
    refused = [*listing.refused, *sifted.refused]
    return Pictures(source, sifted.kept, refused, listing.ignored, listing.all_keys, found.keys)


def as_they_are_now(pictures: Pictures, entries: Mapping[str, Entry]) -> Pictures:
    """Uploaded pictures without those whose events are outdated."""
    current = current_objects(pictures.objects, pictures.source, entries)
    return replace(
        pictures, objects=current.objects, ignored=added(pictures.ignored, current.ignored)
    )


def each_once(
    pictures: Pictures, entries: Mapping[str, Entry], earlier: Iterable[Row] = ()
) -> Pictures:
    """Pictures without those that have the same bytes as another, which are refused.

    `earlier` are all rows of the index, in which others may be that are not among the pictures.
    """
    source, all_keys = pictures.source, pictures.all_keys

    def is_there(relative: str) -> bool:
        return all_keys is None or source.prefix + relative in all_keys

    once = without_copies(pictures.objects, source, entries)
    left = without_earlier_copies(once.kept, source, entries, earlier, is_there)
    refused = [*pictures.refused, *once.refused, *left.refused]
    return replace(pictures, objects=left.kept, refused=refused)


def _sieve(
    source: Location, recipe: Recipe, output: Location, others: Others = NO_OTHERS
) -> Callable[[list[SourceObject]], Sifted]:
    """What sifts objects, given in key order, one list after the other.

    Output files may collide; samples never do.
    """
    if not recipe.is_packed:
        return collision_sieve(source.prefix, recipe, in_folder=output.is_file, others=others)
    if recipe.label_from_folder:
        return lambda objects: with_class(objects, source.prefix)
    return lambda objects: Sifted(objects, [])


def _with_columns(sifted: Sifted, beside: SideCars, recipe: Recipe) -> Sifted:
    if not recipe.columns:
        return sifted
    found = with_columns(sifted.kept, beside, recipe.columns)
    return Sifted(found.kept, [*sifted.refused, *found.refused])


def _gathered(
    request: RunRequest, bucket: Location, most_objects: int
) -> tuple[Location, Iterator[Listing], Mapping[str, object]]:
    if request.source is not None:
        return request.source, gather(request, request.source, most_objects), {}
    if request.window is None:
        raise RunRefused("source: there is none.")
    uploads = sealed_uploads(bucket, request.window)
    if uploads is None:
        raise RunRefused(f'window: nothing was uploaded in "{request.window.name}".')
    ignored = Counter({"events of the same object": uploads.duplicates})
    listings = in_pieces(uploads.objects, +ignored, most_objects, is_whole=False)
    return uploads.source, listings, uploads.spent.to_document()
