"""One object of a source, asked for by its key."""

from __future__ import annotations

from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location


def looked_up(source: Location, key: str) -> SourceObject | None:
    """The object as it is now; None when there is none. Raises ValueError for a name of none."""
    try:
        meta = store_of(source.root).head(key)
    except FileNotFoundError:
        return None
    return SourceObject(key, (meta["e_tag"] or "").strip('"'), meta["size"])
