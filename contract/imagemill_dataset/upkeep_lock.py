"""Reads the lock of whoever rewrites a dataset: `upkeep/<number>.json`.

Its holder renews it. A lock that was not renewed for ten minutes is taken over under the next
number. Times are those of the holders' clocks, which should agree within a few minutes.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from imagemill_contract.keys import UPKEEP, upkeep_lock_number
from imagemill_dataset.object_store import ObjectStore

STALE_AFTER_SECONDS = 600


@dataclass(frozen=True, slots=True)
class UpkeepLock:
    """A lock.

    Attributes:
        holder: A word that no other holder has.
        command: What the holder does, as a person would type it.
        renewed: When, in seconds since 1970.
    """

    holder: str
    command: str
    renewed: float

    def seconds_left(self) -> float:
        """How long it counts if it is not renewed; 0 for a stale one."""
        return max(0.0, self.renewed + STALE_AFTER_SECONDS - time.time())

    def encode(self) -> bytes:
        return json.dumps({"v": 1, **asdict(self)}).encode()

    @classmethod
    def decode(cls, body: bytes) -> UpkeepLock:
        """A document that cannot be read, as one whose writer died, is a stale lock."""
        try:
            document = json.loads(body)
            return cls(
                str(document["holder"]), str(document["command"]), float(document["renewed"])
            )
        except (KeyError, TypeError, ValueError):
            return cls("", "", 0.0)


def locks_by_number(store: ObjectStore) -> dict[int, UpkeepLock]:
    """All locks, stale ones, too."""
    found = {}
    for key in store.keys(UPKEEP):
        number = upkeep_lock_number(key)
        if number is not None:
            with suppress(FileNotFoundError):  # it was given back meanwhile
                found[number] = UpkeepLock.decode(store.read(key))
    return found


def is_locked(store: ObjectStore) -> bool:
    """Whether somebody is rewriting the dataset now."""
    return any(lock.seconds_left() for lock in locks_by_number(store).values())
