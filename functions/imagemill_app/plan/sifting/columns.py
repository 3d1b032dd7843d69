"""Gives objects the values of the recipe's columns that are in files beside them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from imagemill_app.plan.sifting.collisions import Sifted
from imagemill_app.plan.source.sidecars import sidecar_row
from imagemill_app.plan.source.slices import KeyRange
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe_parts.columns import NamedTypes, has_any, values_in

READS_AT_ONCE = 32
_NO_ROW = "Neither a manifest nor a file beside it says anything of its columns."


@dataclass(frozen=True, slots=True)
class SideCars:
    """The files beside the objects of a source.

    Attributes:
        source: Where they lie.
        all_keys: Every key in a range; None if the source was not listed whole.
        keys: The range.
    """

    source: Location
    all_keys: frozenset[str] | None
    keys: KeyRange

    def may_have(self, key: str) -> bool:
        return self.all_keys is None or not self.keys.has(key) or key in self.all_keys


def with_columns(objects: Sequence[SourceObject], beside: SideCars, columns: NamedTypes) -> Sifted:
    """Give each object its values, unless it has those of a manifest.

    Objects of which nothing is said, or what is no value, are refused.
    """
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        asked = (item for item in objects if not item.columns)
        answers = pool.map(lambda item: _given(item, beside, columns), asked)
        found = [item if item.columns else next(answers) for item in objects]
    kept = [item for item in found if isinstance(item, SourceObject)]
    return Sifted(kept, [item for item in found if isinstance(item, Outcome)])


def _given(item: SourceObject, beside: SideCars, columns: NamedTypes) -> SourceObject | Outcome:
    try:
        row = sidecar_row(beside.source, item.key, beside.may_have)
        if not has_any(row, columns):
            return Outcome(item.key, Status.REJECTED, Reason.NO_ROW, _NO_ROW)
        return item._replace(columns=values_in(row, columns))
    except ValueError as error:
        return Outcome(item.key, Status.REJECTED, Reason.BAD_ROW, str(error))
