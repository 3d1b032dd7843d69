"""What the index will say about the objects of a shard, from what its jobs have left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from imagemill_app.results.packed_samples import sample_places
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.outcomes import Outcome
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.parts.part import Row

# What the first stage says that says anything holds: why an object is not done, and what it is.
_SAID = ("reason", "fingerprint", "original", "scores")


def index_rows(
    run: IndexedRun,
    shard: Shard,
    objects: Sequence[SourceObject],
    stages: Sequence[Any],
) -> Iterator[Row]:
    """What the index will say about some of a shard's objects, with an outcome in each stage.

    `stages` are the columns of these outcomes. Column by column takes half of the time of row by
    row.
    """
    places = sample_places(shard, stages) if shard.recipe.is_packed else repeat(None)
    reasons, fingerprints, originals, scores = (_first_said(field, stages) for field in _SAID)
    keys, etags, sizes, columns = zip(*objects, strict=True)
    fields = (
        etags,
        reasons,
        repeat(run),
        repeat(False),
        places,
        columns,
        fingerprints,
        originals,
        sizes,
        scores,
    )
    entries = map(tuple.__new__, repeat(Entry), zip(*fields, strict=False))
    prefix = shard.source.prefix
    return zip([relative_key(key, prefix) for key in keys], entries, strict=True)


def _first_said(field: str, stages: Sequence[Any]) -> Sequence[Any]:
    """What the first stage says of each object that says anything."""
    said: Sequence[Any]
    said, *later = (getattr(stage, field) for stage in stages)
    for other in filter(any, later):
        said = [one or two for one, two in zip(said, other, strict=True)]
    return said


def entry_of(
    run: IndexedRun, item: SourceObject, of_stages: Sequence[Outcome], place: Place | None
) -> Entry:
    """What the index will say about an object, of which later stages may have no outcome."""
    said = [next(filter(None, map(attrgetter(field), of_stages)), None) for field in _SAID]
    reason, fingerprint, original, scores = said
    about = fingerprint or "", original, item.bytes, scores
    return Entry(item.etag, reason, run, False, place, item.columns, *about)
