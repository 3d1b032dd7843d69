"""The sums of a plan: those of its slices add up to those of the run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract.keys import slice_key
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage

VERSION = 1

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """What is planned of a slice, or of some.

    Attributes:
        items: What the Map over shards reads, one item for each shard.
        slices: Numbers of the slices that have objects to be done, refused or deleted.
        objects: How many objects are to be done.
        bytes: How many bytes these have.
        refused: How many objects no job can be given.
        deleted: How many sources are gone that an earlier run has done.
        to_do: How many objects are to be done, by reason.
        done: How many are left out as done, by reason.
        ignored: How many the request or their names leave out, by reason.
        functions: What the functions have used that planned it.
        is_last: Whether nothing of a range is left after it.
    """

    items: list[dict[str, Any]] = field(default_factory=list)
    slices: list[int] = field(default_factory=list)
    objects: int = 0
    bytes: int = 0
    refused: int = 0
    deleted: int = 0
    to_do: Counts = field(default_factory=dict)
    done: Counts = field(default_factory=dict)
    ignored: Counts = field(default_factory=dict)
    functions: Mapping[str, Any] = field(default_factory=dict)
    is_last: bool = True

    def plus(self, other: PlanTotals) -> PlanTotals:
        """The totals of both; `other` comes after this one."""
        return PlanTotals(
            items=self.items + other.items,
            slices=self.slices + other.slices,
            objects=self.objects + other.objects,
            bytes=self.bytes + other.bytes,
            refused=self.refused + other.refused,
            deleted=self.deleted + other.deleted,
            to_do=added(self.to_do, other.to_do),
            done=added(self.done, other.done),
            ignored=added(self.ignored, other.ignored),
            functions=sum_of(self.functions, other.functions),
            is_last=other.is_last,
        )


def write_totals(output: Location, run_id: str, number: int, totals: PlanTotals) -> None:
    """Write what is planned of a slice."""
    body = json.dumps({"v": VERSION, **asdict(totals)}, ensure_ascii=False).encode()
    write_bytes(output, slice_key(run_id, number), body)


def read_totals(output: Location, run_id: str, number: int) -> PlanTotals:
    """What is planned of a slice. Raises FileNotFoundError if nothing is yet."""
    document = json.loads(read_bytes(output, slice_key(run_id, number)))
    del document["v"]
    return PlanTotals(**document)


def sum_of(*documents: Mapping[str, Any]) -> dict[str, object]:
    """What functions have used together."""
    total = LambdaUsage()
    for document in documents:
        total = total.plus(LambdaUsage.from_document(document))
    return total.to_document()


def added(*counts: Counts) -> dict[str, int]:
    """Sums by name, names in the order in which they are first seen."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(total)
