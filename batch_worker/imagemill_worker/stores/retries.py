"""Tries a request until it succeeds, or until its fault is known to be a lasting one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from imagemill_worker.errors import TryAgainError
from imagemill_worker.stores.evidence import PROBES, Evidence, Trial
from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.weather import Weather

Result = TypeVar("Result")


class HasHead(Protocol):
    def head(self, key: str) -> None:
        """Ask for an object without its body. Raises StoreFault."""


def with_retries(
    action: Callable[[], Result],
    key: str,
    evidence: Evidence,
    weather: Weather,
    prober: HasHead | None = None,
) -> Result:
    """The result of `action`, which raises StoreFault if its request fails.

    If nothing else is being requested, `prober` finds out whether the store answers at all.

    Raises:
        StoreFault: The object is at fault, and no further try would help.
        TryAgainError: The store has answered with nothing but faults for too long.
    """
    trial: Trial | None = None
    while True:
        try:
            with weather.request():
                result = action()
        except StoreFault as fault:
            if fault.kind is not FaultKind.PASSING:
                raise
            trial = evidence.add_failure(trial)
            weather.went_wrong()
            _probe(prober, key, evidence, trial)
            if evidence.is_own_fault(trial, throttled=fault.is_throttling):
                raise
            _check_patience(evidence, trial, fault, weather)
            is_fair = evidence.is_fair(trial) and not fault.is_throttling
            weather.pause(trial.tries, is_fair=is_fair)
        else:
            weather.went_well()
            evidence.add_success(key)
            return result


def _probe(prober: HasHead | None, key: str, evidence: Evidence, trial: Trial) -> None:
    known = evidence.known_key
    if prober is None or known == key or not evidence.needs_probe(trial):
        return
    for _ in range(PROBES):
        try:
            prober.head(known)
        except StoreFault as fault:
            if fault.kind is not FaultKind.GONE:  # that there is no such object is an answer, too
                return
        evidence.add_success(known)


def _check_patience(evidence: Evidence, trial: Trial, fault: StoreFault, weather: Weather) -> None:
    seconds = time.monotonic() - trial.since
    if seconds < weather.patience_seconds:
        return
    if evidence.others_went_well(trial):
        raise fault
    raise TryAgainError(
        f"The store has answered nothing but faults for {_span(seconds)}, {weather.throttled:,} in "
        f"all. The last one: {fault.detail}"
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
