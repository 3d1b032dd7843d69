"""Measures what an attempt uses: time, CPU, bytes, and requests of all its processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from imagemill_contract.documents import Shard
from imagemill_contract.keys import Stage, usage_key
from imagemill_contract.reporting.usage import Request, Usage, added
from imagemill_worker.lanes.messages import Totals
from imagemill_worker.progress import Progress, cpu_seconds
from imagemill_worker.stores.store import Store

_TRIES = 3


def _started_at() -> float:
    """When this process started: so far it has computed, and hardly waited."""
    return time.time() - time.process_time()


@dataclass(slots=True)
class Meter:
    """What an attempt has used so far.

    Attributes:
        vcpus: How many vCPUs it has.
        output: The store that this process itself works with.
        progress: Knows how many bytes were read.
        lanes: Returns the counts of the lanes that have ended.
    """

    vcpus: int
    output: Store
    progress: Progress
    lanes: Callable[[], Totals] = Totals
    _began: float = field(default_factory=_started_at)

    def usage(self) -> Usage:
        ended = time.time()
        seconds = ended - self._began
        return Usage(
            attempts=1,
            seconds=seconds,
            vcpu_seconds=seconds * self.vcpus,
            cpu_seconds=cpu_seconds(),
            read_bytes=self.progress.bytes_read,
            requests=added(self.output.weather.requests.so_far(), self.lanes().requests),
            began=self._began,
            ended=ended,
        )

    def notes(self) -> dict[str, dict[str, float]]:
        """What is worth a line in the log, by event: what was throttled, and what was proven."""
        own = self.output.weather
        totals = self.lanes().plus(Totals(own.throttled, own.waited_seconds))
        found: dict[str, dict[str, float]] = {}
        if totals.throttled:
            waited_seconds = round(totals.waited_seconds, 1)
            found["weather"] = {"throttled": totals.throttled, "waited_seconds": waited_seconds}
        if totals.proven or totals.unprovable:
            found["sources"] = {"proven": totals.proven, "unprovable": totals.unprovable}
        return found

    def write_usage(self, shard: Shard, stage: Stage, earlier: Usage) -> None:
        """Write what this attempt and `earlier` ones have used, if three tries are enough for it.

        A job can do without it.
        """
        usage = earlier.plus(self.usage())
        if not shard.output.is_file:  # this request and the next one, which writes the outcomes
            usage = replace(usage, requests=added(usage.requests, {str(Request.PUT): 2}))
        key = shard.output.prefix + usage_key(shard.run_id, stage, shard.shard_id)
        for _ in range(_TRIES):
            if self.output.try_write_document(key, usage.encode()):
                return
