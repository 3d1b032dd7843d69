"""What a round's S3 does wrong, and which pictures may fail because of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.helpers.faults.kinds import (
    Duplicate,
    ErrorAnswer,
    FlipBits,
    LoseAnswer,
    Moment,
    Reset,
    Stall,
    Throttle,
    Truncate,
)
from tests.helpers.faults.requests import READS
from tests.helpers.faults.rules import Fault

_DOCUMENTS = r"^(runs/.*/(shards|outcomes)|journal)/"


@dataclass(frozen=True, slots=True)
class Harm:
    """A fault, what to call it, and the names of those that may fail because of it.

    Attributes:
        attempts: How many attempts of a job it may end.
    """

    name: str
    fault: Fault
    spoiled: frozenset[str] = frozenset()
    attempts: int = 0


def drawn_harms(random: Random, names: Sequence[str], source_prefix: str) -> list[Harm]:
    """Some faults that pass, and at times one picture that always fails."""
    harms = [make(random) for make in random.sample(_PASSING, random.randint(0, 4))]
    if random.random() < 0.4:
        harms.append(_lasting(random, random.choice(names), source_prefix))
    return harms


def _burst(random: Random) -> Harm:
    begin, length = random.uniform(0, 1.5), random.uniform(0.2, 2.0)
    return Harm("throttle burst", Throttle(after_seconds=begin, seconds=length))


def _throttle(random: Random) -> Harm:
    return Harm("throttle", Throttle(probability=random.uniform(0.02, 0.25)))


def _outage(random: Random) -> Harm:
    begin, length = random.uniform(0, 1.5), random.uniform(0.2, 1.0)
    return Harm("outage", Reset(after_seconds=begin, seconds=length))


def _error(random: Random) -> Harm:
    status, code = random.choice([(500, "InternalError"), (503, "ServiceUnavailable")])
    odds = random.uniform(0.02, 0.2)
    return Harm("500", ErrorAnswer(status=status, code=code, probability=odds))


def _first_error(_: Random) -> Harm:
    return Harm("500", ErrorAnswer(status=500, code="InternalError", first=1, each_key=True))


def _reset(random: Random) -> Harm:
    odds, moment = random.uniform(0.02, 0.2), random.choice(list(Moment))
    return Harm("reset", Reset(probability=odds, moment=moment))


def _lost_answer(random: Random) -> Harm:
    return Harm("lost acknowledgement", LoseAnswer(probability=random.uniform(0.05, 0.4)))


def _duplicate(random: Random) -> Harm:
    return Harm("duplicate", Duplicate(probability=random.uniform(0.05, 0.5)))


def _truncation(random: Random) -> Harm:
    odds, share = random.uniform(0.02, 0.2), random.uniform(0, 0.99)
    return Harm("truncation", Truncate(probability=odds, share=share))


def _silent_truncation(random: Random) -> Harm:
    share = random.uniform(0, 0.99)
    return Harm(
        "silent truncation",
        Truncate(pattern=r"^resized/", share=share, is_admitted=True, first=1, each_key=True),
    )


def _stall(random: Random) -> Harm:
    every, seconds = random.randint(3, 12), random.uniform(0.05, 0.6)
    moment = random.choice(list(Moment))
    return Harm("stall", Stall(hold_seconds=seconds, every=every, moment=moment))


def _flip(random: Random) -> Harm:
    bits = random.choice((1, 1, 8))
    fault = FlipBits(pattern=r"^resized/", operations=READS, bits=bits, first=1, each_key=True)
    return Harm("flip", fault)


def flip_of_source(random: Random, source_prefix: str) -> Harm:
    """Of originals: seen by runs that verify their source."""
    skip = random.randint(0, 1)
    fault = FlipBits(prefix=source_prefix, skip=skip, first=1, each_key=True)
    return Harm("flip of an original", fault)


def _packed_flip(random: Random) -> Harm:
    """Of a whole shard, which one further attempt proves."""
    skip = random.randint(0, 2)
    fault = FlipBits(pattern=r"^(intermediate|dataset)/", operations=READS, skip=skip, first=1)
    return Harm("flip", fault, attempts=1)


def _document_flip(random: Random) -> Harm:
    skip = random.randint(0, 3)
    fault = FlipBits(pattern=_DOCUMENTS, operations=READS, skip=skip, first=1)
    return Harm("flip of a document", fault, attempts=1)


def _journal_refused(_: Random) -> Harm:
    return Harm(
        "journal refused",
        ErrorAnswer(status=500, code="InternalError", pattern=r"^journal/.*\.gz$"),
    )


def _lasting(random: Random, name: str, source_prefix: str) -> Harm:
    status, code = random.choice(_LASTING)
    folder = random.choice([source_prefix, source_prefix, "resized/", "edges/"])
    end = "$" if folder == source_prefix else r"(\.(jpg|webp|png))?$"  # of the result
    pattern = f"^{folder}{re.escape(name)}{end}"
    fault = ErrorAnswer(status=status, code=code, pattern=pattern)
    return Harm(f"{code} of one key", fault, frozenset([name]))


_LASTING = [
    (500, "InternalError"),
    (400, "KMS.DisabledException"),
    (403, "AccessDenied"),
]
_PASSING: list[Callable[[Random], Harm]] = [
    *(_burst, _throttle, _outage, _error, _first_error, _reset, _lost_answer, _duplicate),
    *(_truncation, _silent_truncation, _stall, _flip, _packed_flip, _document_flip),
    _journal_refused,
]
