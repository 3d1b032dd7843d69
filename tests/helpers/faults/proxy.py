"""A proxy between clients and an S3 endpoint that does harm as it is told, and counts all of it.

    with FaultProxy(upstream=engine.endpoint_url, seed=7) as proxy:
        resets = proxy.add(Reset(operations={Operation.GET}, prefix="photos/", first=3))
        ...  # a client that is given proxy.endpoint_url
        assert resets.count == 3
        assert proxy.totals[Operation.GET] == 100

Requests go on as they were signed, so S3 sees the proxy's address as its own name.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.helpers.faults.exchange import Exchange, Record, Upstream, UpstreamError
from tests.helpers.faults.requests import Operation, Request, read_request
from tests.helpers.faults.rules import Fault, Rule
from tests.helpers.faults.server_thread import ServerThread


class FaultProxy(ServerThread):
    """Runs for the time of a `with` block.

    Attributes:
        upstream: S3's address; may be set as late as before the first request.
        records: Of all requests, as they came; there before the client has its answer.
        upstream_errors: What S3 itself did wrong, for which no rule asked. Such a request is reset.
        clock: By which rules that hold for a time are judged, in seconds.
    """

    def __init__(self, upstream: str = "", seed: int = 0) -> None:
        super().__init__()
        self.upstream = upstream
        self.records: list[Record] = []
        self.upstream_errors: list[UpstreamError] = []
        self.clock: Callable[[], float] = time.monotonic
        self._rules: tuple[Rule, ...] = ()
        self._seed = seed
        self._added = 0

    def add(self, fault: Fault) -> Rule:
        """Inject a fault from now on. Of several rules for one request the oldest acts alone."""
        rule = Rule(fault, f"{self._seed}/{self._added}")
        self._added += 1
        self._rules = (*self._rules, rule)
        return rule

    def remove(self, *rules: Rule) -> None:
        """Do no more of this harm; of all, where none is named."""
        self._rules = tuple(rule for rule in self._rules if rules and rule not in rules)

    @property
    def totals(self) -> Counter[Operation]:
        """Requests of clients, harmed ones too."""
        return Counter(record.operation for record in tuple(self.records))

    def count(self, operation: Operation, key: str, bucket: str = "") -> int:
        """How often clients have asked this of an object."""
        asked = (operation, key)
        return sum(
            (record.operation, record.key) == asked and bucket in ("", record.bucket)
            for record in tuple(self.records)
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = Upstream(self.upstream)
        try:
            while request := await read_request(reader, writer):
                record = Record(request.operation, request.bucket, request.key)
                self.records.append(record)
                exchange = Exchange(request, record, writer, upstream)
                await self._answer(exchange)
                if exchange.is_over:
                    return
        finally:
            upstream.close()

    async def _answer(self, exchange: Exchange) -> None:
        fault, random = self._drawn(exchange.request)
        exchange.record.fault = fault
        try:
            if fault is None:
                await exchange.pass_through()
            else:
                await fault.inject(exchange, random)
        except UpstreamError as error:
            self.upstream_errors.append(error)
            exchange.reset()

    def _drawn(self, request: Request) -> tuple[Fault | None, Random]:
        now_seconds = self.clock()
        for rule in self._rules:
            random = rule.draw(request, now_seconds)
            if random is not None:
                return rule.fault, random
        return None, Random()
