"""The classes of objects, if the recipe takes them from folders."""

from __future__ import annotations

from collections.abc import Iterable

from imagemill_app.plan.sifting.collisions import Sifted
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import relative_key
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.names import class_of


def classes_of(objects: Iterable[SourceObject], prefix: str) -> set[str]:
    """The classes of objects."""
    names = (class_of(relative_key(item.key, prefix)) for item in objects)
    return {name for name in names if name is not None}


def with_class(objects: Iterable[SourceObject], prefix: str) -> Sifted:
    """Refuse objects that lie in no folder."""
    kept: list[SourceObject] = []
    refused: list[Outcome] = []
    for item in objects:
        if class_of(relative_key(item.key, prefix)) is not None:
            kept.append(item)
        else:
            detail = "It lies in no folder, so it has no class."
            refused.append(Outcome(item.key, Status.REJECTED, Reason.NO_LABEL, detail))
    return Sifted(kept, refused)
