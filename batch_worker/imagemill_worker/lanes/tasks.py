"""What a job has to do for each object of its shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker.errors import ArgumentsError


@dataclass(frozen=True, slots=True)
class Task:
    """One object to read and one to write.

    Attributes:
        key: The source object's whole key: its name in the outcome.
        read: What to read, in the stage's own store. Of a picture in an intermediate shard, the
            ETag is the SHA-256.
        output_key: Whole key of what to write; empty for what is packed.
        offset: Where it begins in the intermediate shard.
    """

    key: str
    read: SourceObject
    output_key: str
    offset: int = 0


def resize_tasks(shard: Shard) -> list[Task | Outcome]:
    """A task for each object of the shard, in its order."""
    return [
        Task(item.key, item, _output_key(Stage.RESIZE, shard, item.key)) for item in shard.objects
    ]


def edge_tasks(
    shard: Shard, resize_outcomes: Sequence[Outcome], offsets: Sequence[int] = ()
) -> list[Task | Outcome]:
    """A task for each object that was resized, and the outcome of each that was not.

    `offsets` are those of the pictures in the intermediate shard, by position.

    Raises:
        ArgumentsError: The outcomes are not those of this shard.
    """
    if [item.key for item in shard.objects] != [row.key for row in resize_outcomes]:
        raise ArgumentsError("The resize outcomes are not those of this shard's objects.")
    return [_edge_task(shard, row, offsets) for row in resize_outcomes]


def _edge_task(shard: Shard, row: Outcome, offsets: Sequence[int]) -> Task | Outcome:
    if row.status is not Status.WRITTEN or row.output_key is None:
        detail = "There is no resized picture to find edges in."
        return Outcome(row.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE, detail)
    offset = 0 if row.position is None else offsets[row.position]
    read = SourceObject(row.output_key, row.sha256, row.output_bytes)
    return Task(row.key, read, _output_key(Stage.EDGE, shard, row.key), offset)


def _output_key(stage: Stage, shard: Shard, key: str) -> str:
    if shard.recipe.is_packed:
        return ""
    relative = keys.relative_key(key, shard.source.prefix)
    return shard.output.prefix + keys.output_key(stage, relative, shard.recipe.format)
