"""When a fault is injected: which requests, how many of them, for how long, with what luck."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from tests.helpers.faults.requests import ALL, Operation, Request

if TYPE_CHECKING:
    from tests.helpers.faults.exchange import Exchange

Asked: TypeAlias = tuple[Operation, str, str]  # operation, bucket, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(ABC):
    """What goes wrong, and with which requests.

    Attributes:
        operations: Which requests; all of S3 by default, those of other services never.
        bucket: Of this bucket only.
        prefix: Keys that begin so.
        pattern: Keys in which this regular expression is found.
        skip: So many of these requests go unharmed first.
        first: Then so many are harmed at most.
        every: Then one of so many is harmed, beginning with the first.
        each_key: `skip`, `first` and `every` count the requests of each operation and key.
        after_seconds: The window begins so long after the first of these requests.
        seconds: The window's length.
        probability: Of a request that all this leaves.
    """

    operations: AbstractSet[Operation] = ALL
    bucket: str = ""
    prefix: str = ""
    pattern: str = ""
    skip: int = 0
    first: int | None = None
    every: int = 1
    each_key: bool = False
    after_seconds: float = 0.0
    seconds: float = math.inf
    probability: float = 1.0

    @abstractmethod
    async def inject(self, exchange: Exchange, random: Random) -> None:
        """Answer the request of `exchange`, or fail to; `random` is this request's own."""

    def is_about(self, request: Request) -> bool:
        return (
            request.operation in self.operations
            and self.bucket in ("", request.bucket)
            and request.key.startswith(self.prefix)
            and re.search(self.pattern, request.key) is not None
        )


class Rule:
    """A fault that was declared, and what has come of it.

    What is drawn by lot depends on the seed, the operation, the key and how often it was asked for,
    and on no order of arrival: it is the same in each run of a test.
    """

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self.seen: Counter[Asked] = Counter()
        self.injected: Counter[Asked] = Counter()
        self.count = 0  # how often the fault was injected
        self._seen_count = 0
        self._seed = seed
        self._began: float | None = None

    @property
    def keys(self) -> set[str]:
        """Keys at which it was injected."""
        return {key for _, _, key in self.injected}

    def draw(self, request: Request, now_seconds: float) -> Random | None:
        """The lot of a request that is to be harmed; None for one that is not."""
        if not self.fault.is_about(request):
            return None
        asked = (request.operation, request.bucket, request.key)
        self.seen[asked] += 1
        self._seen_count += 1
        random = Random("/".join([self._seed, *asked, str(self.seen[asked])]))
        if not (self._is_open(now_seconds) and self._is_counted(asked)):
            return None
        if random.random() >= self.fault.probability:
            return None
        self.injected[asked] += 1
        self.count += 1
        return random

    def _is_open(self, now_seconds: float) -> bool:
        if self._began is None:
            self._began = now_seconds
        fault, age_seconds = self.fault, now_seconds - self._began
        return fault.after_seconds <= age_seconds < fault.after_seconds + fault.seconds

    def _is_counted(self, asked: Asked) -> bool:
        fault = self.fault
        seen = self.seen[asked] if fault.each_key else self._seen_count
        injected = self.injected[asked] if fault.each_key else self.count
        has_room = fault.first is None or injected < fault.first
        return seen > fault.skip and (seen - fault.skip - 1) % fault.every == 0 and has_room
