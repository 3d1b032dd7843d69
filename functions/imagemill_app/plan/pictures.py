"""The pictures that a request is about, and what else is at their source."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imagemill_app.ingest.inbox import sealed_uploads
from imagemill_app.plan.classes import with_class
from imagemill_app.plan.collisions import Sifted, without_collisions
from imagemill_app.plan.earlier.late_events import current_objects
from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.folder_source import no_pictures
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.index import Index


@dataclass(frozen=True, slots=True)
class Pictures:
    """What there is at a source: what jobs can be given, and the rest."""

    source: Location
    objects: list[SourceObject]
    refused: list[Outcome]
    ignored: dict[str, int]
    all_keys: frozenset[str] | None


def pictures_of(request: RunRequest, bucket: Location, output: Location) -> Pictures:
    """What a request is about. Raises RunRefused if there is nothing."""
    source, listing = _gathered(request, bucket)
    sifted = _sifted(listing.objects, source, request.recipe, output)
    refused = [*listing.refused, *sifted.refused]
    if not sifted.kept and not refused:
        raise RunRefused(no_pictures(source, listing.ignored))
    return Pictures(source, sifted.kept, refused, listing.ignored, listing.all_keys)


def as_they_are_now(pictures: Pictures, index: Index) -> Pictures:
    """Uploaded pictures without those whose events are outdated."""
    current = current_objects(pictures.objects, pictures.source, index.entries)
    ignored = {**pictures.ignored, **current.ignored}
    return replace(pictures, objects=current.objects, ignored=ignored)


def _sifted(
    objects: list[SourceObject], source: Location, recipe: Recipe, output: Location
) -> Sifted:
    """What jobs can be given. Output files may collide; samples never do."""
    if not recipe.is_packed:
        return without_collisions(objects, source.prefix, recipe.format, in_folder=output.is_file)
    if recipe.label_from_folder:
        return with_class(objects, source.prefix)
    return Sifted(objects, [])


def _gathered(request: RunRequest, bucket: Location) -> tuple[Location, Listing]:
    if request.source is not None:
        return request.source, gather(request, request.source)
    if request.window is None:
        raise RunRefused("source: there is none.")
    uploads = sealed_uploads(bucket, request.window)
    if uploads is None:
        raise RunRefused(f'window: nothing was uploaded in "{request.window.name}".')
    listing = Listing(objects=uploads.objects)
    if uploads.duplicates:
        listing.ignored["events of the same object"] = uploads.duplicates
    return uploads.source, listing
