"""The messages between a supervisor and its lanes, each one line of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from imagemill_contract.outcomes import Outcome
from imagemill_contract.reporting.usage import added
from imagemill_dataset.shards import PixelSums
from imagemill_worker.lanes.tasks import Task


@dataclass(frozen=True, slots=True)
class SharedFiles:
    """File descriptors that a lane has from its supervisor.

    Attributes:
        queue: Indices of the tasks that nobody has taken.
        danger: The note of which picture the lane has in the decoder.
        reports: The end of the pipe that the lane writes to.
        spool: Where products go that are packed later, or None.
        intermediate: The file that replaces the store for reading pictures, or None.
    """

    queue: int
    danger: int
    reports: int
    spool: int | None = None
    intermediate: int | None = None

    def descriptors(self) -> list[int]:
        return [number for number in asdict(self).values() if number is not None]

    def numbered(self, descriptors: Sequence[int]) -> SharedFiles:
        """The same files by the numbers that they have in another process, in the same order."""
        names = [name for name, number in asdict(self).items() if number is not None]
        return replace(self, **dict(zip(names, descriptors, strict=True)))


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a lane is to do.

    Attributes:
        alone: Whether to do one picture at a time, with all the memory that it may take.
        verify_source: Whether to compare what is read with its ETag, where that is an MD5.
    """

    stage: str
    reads: str
    writes: str
    recipe: Mapping[str, object]
    threads: int
    tasks: Sequence[Task]
    alone: bool = False
    verify_source: bool = False

    def encode(self, files: SharedFiles) -> bytes:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["tasks"] = [task.to_row() for task in self.tasks]
        return _line({"files": asdict(files), **values})

    @classmethod
    def decode(cls, line: bytes) -> tuple[Assignment, SharedFiles]:
        values = json.loads(line)
        files = SharedFiles(**values.pop("files"))
        values["tasks"] = [Task.from_row(row) for row in values["tasks"]]
        return cls(**values), files


@dataclass(frozen=True, slots=True)
class SpooledProduct:
    """A product to be packed: its place in the lane's spool, and the sums of its pixels.

    `smaller` has offsets and lengths of its smaller sizes.
    """

    offset: int
    length: int
    pixels: PixelSums
    smaller: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one task, by its index. Without an outcome, it must be done alone."""

    index: int
    outcome: Outcome | None
    product: SpooledProduct | None = None

    def to_row(self) -> list[object]:
        row: list[object] = [self.index, self.outcome.to_values() if self.outcome else None]
        if self.product:
            pixels = self.product.pixels
            sums = [pixels.pixels, pixels.sums, pixels.squares]
            row += [self.product.offset, self.product.length, sums, *self.product.smaller]
        return row

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Ended:
        index, outcome, *product = row
        found = Outcome.from_values(outcome) if outcome else None
        if not product:
            return cls(index, found)
        offset, length, (pixels, sums, squares), *smaller = product
        of_pixels = PixelSums(pixels, tuple(sums), tuple(squares))
        places = tuple((at, size) for at, size in smaller)
        return cls(index, found, SpooledProduct(offset, length, of_pixels, places))


class FaultName(StrEnum):
    """Why a lane gave up, before all tasks were taken."""

    TRY_AGAIN = "try_again"
    STORE_REFUSED = "store_refused"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a lane so far, or of several lanes.

    Attributes:
        throttled: Requests that failed for a reason that passes.
        waited_seconds: For how long requests were held back, in the lane where it was longest.
        proven: Source objects whose MD5 was their ETag, where that was asked for.
        unprovable: Those whose ETag is no MD5.
        requests: Requests to S3, by kind.
    """

    throttled: int = 0
    waited_seconds: float = 0.0
    proven: int = 0
    unprovable: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)

    def plus(self, other: Totals) -> Totals:
        return Totals(
            self.throttled + other.throttled,
            max(self.waited_seconds, other.waited_seconds),
            self.proven + other.proven,
            self.unprovable + other.unprovable,
            added(self.requests, other.requests),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What has happened in a lane since its last report. Even an empty one is a sign of life.

    Attributes:
        ended: Tasks that have ended.
        totals: Counts so far.
        fault: Why the lane ends here, or None.
        detail: A sentence about the fault.
    """

    ended: Sequence[Ended] = field(default_factory=tuple)
    totals: Totals = field(default_factory=Totals)
    fault: FaultName | None = None
    detail: str = ""

    def encode(self) -> bytes:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["ended"] = [item.to_row() for item in self.ended]
        values["totals"] = asdict(self.totals)
        return _line(values)

    @classmethod
    def decode(cls, line: bytes) -> Report:
        values = json.loads(line)
        values["ended"] = [Ended.from_row(row) for row in values["ended"]]
        values["totals"] = Totals(**values["totals"])
        values["fault"] = FaultName(values["fault"]) if values["fault"] else None
        return cls(**values)


def send(descriptor: int, message: bytes) -> None:
    """Write a whole message to a pipe."""
    while message:
        message = message[os.write(descriptor, message) :]


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
