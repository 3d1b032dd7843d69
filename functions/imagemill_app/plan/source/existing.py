"""Which objects are at a source: those of a slice are listed, others are asked for one by one."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.plan.source.slices import ALL_KEYS, KeyRange
from imagemill_contract.locations import Location


@dataclass(frozen=True, slots=True)
class Existing:
    """The keys at a source.

    Attributes:
        source: The source.
        keys: All keys there in the range.
        range: The range of keys that was listed.
    """

    source: Location
    keys: frozenset[str]
    range: KeyRange = ALL_KEYS

    @property
    def is_all(self) -> bool:
        """Whether there are no others."""
        return self.range.is_everything

    def has(self, key: str) -> bool:
        """Whether there is an object with this key; asks for one that lies outside the range."""
        if self.range.has(key):
            return key in self.keys
        return looked_up(self.source, key) is not None
