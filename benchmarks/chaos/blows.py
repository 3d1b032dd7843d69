"""What is done to the processes of a job: killed, told to stop, held for a while, doubled."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from benchmarks.chaos.jobs import Attempt


class Kind(StrEnum):
    KILL = "worker killed"
    TERM = "worker told to stop"
    KILL_LANE = "lane killed"
    HOLD = "worker held"
    HOLD_LANE = "lane held"
    ZOMBIE = "second attempt beside a held one"


# After these an attempt is over for AWS Batch; of four, the last one has to be spared.
ENDS_ATTEMPT = frozenset({Kind.KILL, Kind.TERM, Kind.ZOMBIE})


@dataclass(frozen=True, slots=True)
class Blow:
    """Against one attempt, so long after its start.

    Attributes:
        hold_seconds: For how long what is held is held.
        choice: Which of the lanes, as a number below 1.
    """

    kind: Kind
    after_seconds: float
    hold_seconds: float
    choice: float

    @classmethod
    def drawn(cls, random: Random, kind: Kind) -> Blow:
        return cls(kind, random.uniform(0.15, 2.0), random.uniform(0.2, 2.5), random.random())


def blows_of_job(random: Random, most_ends: int) -> list[list[Blow]]:
    """For each attempt of a job what is done to it; at most so many attempts are ended."""
    count = min(most_ends, random.choice((0, 0, 1, 1, 2, 3)))
    ends = [random.choice(sorted(ENDS_ATTEMPT)) for _ in range(count)]
    mild = sorted(set(Kind) - ENDS_ATTEMPT)
    attempts: list[list[Blow]] = []
    for kind in [*ends, None]:
        kinds = random.sample(mild, random.choice((0, 0, 1, 2)))
        found = [Blow.drawn(random, one) for one in [*kinds, *([kind] if kind else [])]]
        attempts.append(sorted(found, key=lambda blow: blow.after_seconds))
    return attempts


@dataclass
class Ring:
    """Where blows are dealt out and counted, and those that are held are let go in the end."""

    counts: Counter[str] = field(default_factory=Counter)
    _timers: list[threading.Timer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deal(self, attempt: Attempt, blows: list[Blow]) -> bool:
        """Follow an attempt to its end, or until it is held and taken for dead; whether it is."""
        began = time.monotonic()
        for blow in blows:
            if not _is_alive_at(attempt, began + blow.after_seconds):
                break
            if self._hit(attempt, blow) and blow.kind is Kind.ZOMBIE:
                return True
        attempt.ended()
        return False

    def settle(self) -> None:
        """Wait until all that is held goes on."""
        while self._timers:
            self._timers.pop().join()

    def _hit(self, attempt: Attempt, blow: Blow) -> bool:
        lane = None
        match blow.kind:
            case Kind.KILL:
                is_hit = attempt.signal(signal.SIGKILL)
            case Kind.TERM:
                is_hit = attempt.signal(signal.SIGTERM)
            case Kind.HOLD | Kind.ZOMBIE:
                is_hit = attempt.signal(signal.SIGSTOP)
            case Kind.KILL_LANE | Kind.HOLD_LANE:
                number = signal.SIGKILL if blow.kind is Kind.KILL_LANE else signal.SIGSTOP
                lane = attempt.signal_lane(number, blow.choice)
                is_hit = lane is not None
        if not is_hit:
            return False
        with self._lock:
            self.counts[str(blow.kind)] += 1
        if blow.kind in (Kind.HOLD, Kind.ZOMBIE, Kind.HOLD_LANE):
            self._let_go_later(lane or attempt.process.pid, blow.hold_seconds)
        return True

    def _let_go_later(self, pid: int, seconds: float) -> None:
        timer = threading.Timer(seconds, _let_go, [pid])
        timer.start()
        self._timers.append(timer)


def _is_alive_at(attempt: Attempt, moment: float) -> bool:
    while attempt.is_alive():
        left = moment - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, 0.02))
    return False


def _let_go(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
