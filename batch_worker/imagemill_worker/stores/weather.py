"""Throttling and outages are weather: requests slow down, wait, and go on when it is over.

Each process has one `Weather`, shared by all its threads. It limits how many requests are under way
at once: half as many after a fault, at most once a second, and one more for each round that goes
well (additive increase, multiplicative decrease). The pauses between the tries of one request are a
random share of a time that doubles up to half a minute, as
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ advises.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from imagemill_contract.reporting.request_counts import RequestCounts
from imagemill_worker.errors import TryAgainError

PATIENCE_SECONDS = 600.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 30.0
_LONGEST_PAUSE_IN_FAIR_WEATHER_SECONDS = 1.0
_SECONDS_BETWEEN_CUTS = 1.0


class Weather:
    """Limits how many requests are under way at once, and how long a failed one waits.

    Attributes:
        patience_seconds: How long to go on while there is nothing but faults.
        throttled: How many requests have failed for passing reasons.
        requests: How many requests were made, by kind.
    """

    def __init__(
        self,
        most_at_once: int = 1,
        patience_seconds: float = PATIENCE_SECONDS,
        stopping: threading.Event | None = None,
        on_event: Callable[[], None] = lambda: None,
    ) -> None:
        self.patience_seconds = patience_seconds
        self.throttled = 0
        self.requests = RequestCounts()
        self._most = most_at_once
        self._limit = float(most_at_once)
        self._out: deque[None] = deque()  # one for each request; threads change it without a lock
        self._under_way = _UnderWay(self)
        self._changed = threading.Condition()
        self._cut_at = 0.0
        self._waiting, self._waiting_since, self._waited_seconds = 0, 0.0, 0.0
        self._stopping = stopping or threading.Event()
        self._on_event = on_event

    def request(self) -> AbstractContextManager[None]:
        """Wait until one more request may start, and count it while the block runs."""
        return self._under_way

    def went_well(self) -> None:
        if self._limit < self._most:
            with self._changed:
                self._limit = min(self._limit + 1 / self._limit, self._most)
                self._changed.notify()

    def went_wrong(self) -> None:
        """Note that a request failed for a passing reason."""
        now = time.monotonic()
        with self._changed:
            self.throttled += 1
            if now - self._cut_at >= _SECONDS_BETWEEN_CUTS:
                self._limit, self._cut_at = max(1.0, self._limit / 2), now

    def pause(self, tries: int, *, is_fair: bool = False) -> None:
        """Wait before the next try, but not for long in fair weather, while others succeed.

        Raises TryAgainError if the process is told to stop.
        """
        import random  # some milliseconds of a job's start, and most jobs see no bad weather

        most = _LONGEST_PAUSE_IN_FAIR_WEATHER_SECONDS if is_fair else _LONGEST_PAUSE_SECONDS
        longest = min(most, _FIRST_PAUSE_SECONDS * 2 ** min(tries, 16))
        with self._changed:
            self._begin_waiting()
        try:
            stopped = self._stopping.wait(random.uniform(0, longest))  # noqa: S311 # nothing to guess
        finally:
            with self._changed:
                self._end_waiting()
        if stopped:
            raise TryAgainError("The job was told to stop.")

    @property
    def waited_seconds(self) -> float:
        """How long at least one request was held back."""
        with self._changed:
            present = time.monotonic() - self._waiting_since if self._waiting else 0.0
            return self._waited_seconds + present

    def begin(self) -> None:
        """Wait until one more request may start, and count it."""
        if self._limit >= self._most:  # there are no more threads: nobody has to wait for another
            self._out.append(None)
            return
        with self._changed:
            if not self._has_room():
                self._begin_waiting()
                try:
                    self._changed.wait_for(self._has_room)
                finally:
                    self._end_waiting()
            self._out.append(None)

    def end(self) -> None:
        """A request has ended, whichever way."""
        self._out.pop()
        if self._waiting:  # noted before a thread looks whether there is room
            with self._changed:
                self._changed.notify()
        self._on_event()

    def _has_room(self) -> bool:
        return len(self._out) < max(1, int(self._limit))

    def _begin_waiting(self) -> None:
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting += 1

    def _end_waiting(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._waited_seconds += time.monotonic() - self._waiting_since


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A block within which a request is made: each of millions, so it is no generator."""

    weather: Weather

    def __enter__(self) -> None:
        self.weather.begin()

    def __exit__(self, *_: object) -> None:
        self.weather.end()
