"""Decides whose fault it is: the object's, if others succeed meanwhile, or else the store's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

# A store that refuses this many different objects one after the other is taken to refuse all.
MOST_REFUSED_IN_A_ROW = 8

# An object is blamed if it is this unlikely that all its tries failed by chance alone.
_UNLIKELY = 1e-6
_LEAST_TRIES, _LEAST_TRIES_THROTTLED = 6, 12
_LEAST_OTHERS = 3
PROBES = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """The tries of one request, which have all failed so far, and the counts before them."""

    since: float
    successes_before: int
    failures_before: int
    tries: int


@dataclass(slots=True)
class Evidence:
    """How requests of one kind (reading or writing) to one store have ended, over all threads.

    Attributes:
        known_key: The key of the last request that succeeded.
    """

    known_key: str = ""
    _successes: int = 0
    _failures: int = 0
    _refused: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_success(self) -> bool:
        return self._successes > 0

    def add_success(self, key: str) -> None:
        with self._lock:
            self._successes += 1
            self.known_key = key
            if self._refused:
                self._refused.clear()

    def add_failure(self, trial: Trial | None) -> Trial:
        """Note a failed try, and return the trial with this try added."""
        with self._lock:
            if trial is None:
                trial = Trial(time.monotonic(), self._successes, self._failures, 0)
            self._failures += 1
            return Trial(
                trial.since, trial.successes_before, trial.failures_before, trial.tries + 1
            )

    def refuses_all(self, key: str) -> bool:
        """Note that a key was refused, and return whether too many were without a success."""
        with self._lock:
            self._refused.add(key)
            return len(self._refused) >= MOST_REFUSED_IN_A_ROW

    def others_went_well(self, trial: Trial) -> int:
        """How many requests for other objects succeeded since the trial began."""
        return self._successes - trial.successes_before

    def is_own_fault(self, trial: Trial, *, throttled: bool) -> bool:
        """Whether the object is at fault, and not the store.

        `share` is the share of the others' requests that failed meanwhile, with one success and one
        failure added so that little evidence counts little. Chance alone makes all tries fail with
        probability `share ** tries`.
        """
        least = _LEAST_TRIES_THROTTLED if throttled else _LEAST_TRIES
        successes = self.others_went_well(trial)
        if trial.tries < least or successes < _LEAST_OTHERS:
            return False
        failures = max(0, self._failures - trial.failures_before - trial.tries)
        share = (failures + 1) / (successes + failures + 2)
        return bool(share**trial.tries < _UNLIKELY)

    def is_fair(self, trial: Trial) -> bool:
        """Whether more requests for other objects have succeeded than failed meanwhile."""
        failures = self._failures - trial.failures_before - trial.tries
        return self.others_went_well(trial) > max(failures, _LEAST_OTHERS)

    def needs_probe(self, trial: Trial) -> bool:
        """Whether too few other requests are made to tell."""
        return (
            trial.tries >= _LEAST_OTHERS
            and self.others_went_well(trial) < PROBES * trial.tries
            and bool(self.known_key)
        )
