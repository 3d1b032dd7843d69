"""The faults that a proxy can inject into what is between a client and S3."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from xml.sax.saxutils import escape

from tests.helpers.faults.exchange import Answer, Exchange
from tests.helpers.faults.messages import Head
from tests.helpers.faults.requests import READS, WRITES, Operation
from tests.helpers.faults.rules import Fault

_TICK_SECONDS = 0.005
_ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{code}</Code><Message>{message}</Message><RequestId>FAULT</RequestId></Error>"""


class Moment(StrEnum):
    """Of an answer: before its first byte, in the middle of its body, after its last byte."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer(Fault):
    """Answered with an error of S3's; the request never reaches it.

    With status 200 it is the error that S3 sends within a success, as it may when an upload of
    several parts is completed or many objects are deleted.
    """

    status: int
    code: str
    message: str = "A fault was injected."

    async def inject(self, exchange: Exchange, random: Random) -> None:
        text = _ERROR.format(code=self.code, message=escape(self.message)).encode()
        start = f"HTTP/1.1 {self.status} {self.code}"
        head = Head(start, (("Content-Type", "application/xml"),)).as_whole(len(text))
        await exchange.send(Answer(head, b"" if exchange.request.method == "HEAD" else text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(ErrorAnswer):
    """Answered with 503 SlowDown, as by a prefix that is asked too often."""

    status: int = 503
    code: str = "SlowDown"
    message: str = "Please reduce your request rate."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Fault):
    """The connection breaks off. Before: S3 never heard of the request, and nothing is answered.

    Within: half of the body has been sent, or half of the head where there is no body. After: the
    answer is whole, and the connection, which was to be kept, is closed.
    """

    moment: Moment = Moment.BEFORE

    async def inject(self, exchange: Exchange, random: Random) -> None:
        if self.moment is not Moment.BEFORE:
            answer = await exchange.forward()
            await exchange.send(answer, 1.0 if self.moment is Moment.AFTER else 0.5)
        if self.moment is Moment.AFTER:
            exchange.close()
        else:
            exchange.reset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseAnswer(Fault):
    """S3 has done what was asked; the connection breaks off before the first byte of its answer."""

    operations: AbstractSet[Operation] = WRITES

    async def inject(self, exchange: Exchange, random: Random) -> None:
        await exchange.forward()
        exchange.reset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate(Fault):
    """S3 is asked twice, one after the other; the client is told the second answer."""

    operations: AbstractSet[Operation] = WRITES

    async def inject(self, exchange: Exchange, random: Random) -> None:
        await exchange.forward()
        await exchange.send(await exchange.forward())


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Fault):
    """The body ends early, in good order. Unless it is admitted, `Content-Length` is the whole's.

    Attributes:
        share: Of the body that is sent.
        is_admitted: `Content-Length` is that of the part: the answer seems to be whole.
    """

    operations: AbstractSet[Operation] = READS
    share: float = 0.5
    is_admitted: bool = False

    async def inject(self, exchange: Exchange, random: Random) -> None:
        answer = await exchange.forward()
        part = answer.content[: int(len(answer.content) * self.share)]
        if self.is_admitted:
            await exchange.send(Answer(answer.head.as_whole(len(part)), part))
            return
        await exchange.send(answer, self.share)
        exchange.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipBits(Fault):
    """The body has the right length and some wrong bits. An empty one stays as it is."""

    operations: AbstractSet[Operation] = READS
    bits: int = 1

    async def inject(self, exchange: Exchange, random: Random) -> None:
        answer = await exchange.forward()
        content = bytearray(answer.content)
        for place in random.sample(range(len(content) * 8), min(self.bits, len(content) * 8)):
            content[place // 8] ^= 1 << place % 8
        await exchange.send(replace(answer, content=bytes(content)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall(Fault):
    """S3 has answered, and for a time nothing comes: no byte at all, the second half, or the end.

    The answer is whole in the end. `AFTER` holds back the last byte.

    Attributes:
        hold_seconds: How long nothing comes, unless `released` ends it.
        released: Ends the stall when it is set.
    """

    hold_seconds: float = math.inf
    released: threading.Event = field(default_factory=threading.Event, compare=False)
    moment: Moment = Moment.BEFORE

    async def inject(self, exchange: Exchange, random: Random) -> None:
        answer = await exchange.forward()
        wire = answer.head.encode() + answer.content
        sent = {
            Moment.BEFORE: 0,
            Moment.WITHIN: len(wire) - (len(answer.content) + 1) // 2,
            Moment.AFTER: len(wire) - 1,
        }[self.moment]
        exchange.record.status = answer.head.status
        await exchange.send_rest(wire[:sent])
        ends_at = time.monotonic() + self.hold_seconds
        while time.monotonic() < ends_at and not self.released.is_set():
            await asyncio.sleep(_TICK_SECONDS)
        await exchange.send_rest(wire[sent:])
