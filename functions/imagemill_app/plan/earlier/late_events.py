"""Handles events that come late or twice, and may describe an older object than the one done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from imagemill_app.plan.source.lookup import looked_up
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_dataset.index import Entry
from imagemill_dataset.reasons import GIVEN_UP, NEVER_GIVEN, PASSING

LOOKUPS_AT_ONCE = 32

OLDER = "events older than what is done"
DELETED = "deleted since"


@dataclass(frozen=True, slots=True)
class Current:
    """Uploaded objects as they are now, in the order given, and how many events are outdated."""

    objects: list[SourceObject]
    ignored: dict[str, int]


def current_objects(
    objects: Iterable[SourceObject], source: Location, entries: Mapping[str, Entry]
) -> Current:
    """Look up each object whose event describes other bytes than an earlier run has done.

    Sequencers order only the events of one window. An event of another window may be older than
    what the index has, and must not supersede anything newer.
    """

    def now(item: SourceObject) -> SourceObject | str:
        entry = entries.get(relative_key(item.key, source.prefix))
        if entry is None or entry.reason in NEVER_GIVEN or entry.etag == item.etag:
            return item
        present = looked_up(source, item.key)
        if present is None:
            return DELETED
        if present.etag == entry.etag and _is_done(entry):
            return OLDER
        return present._replace(columns=item.columns)

    kept: list[SourceObject] = []
    ignored: Counter[str] = Counter()
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        for found in pool.map(now, objects):
            if isinstance(found, SourceObject):
                kept.append(found)
            else:
                ignored[found] += 1
    return Current(kept, dict(ignored))


def _is_done(entry: Entry) -> bool:
    return entry.reason not in GIVEN_UP and entry.reason not in PASSING
