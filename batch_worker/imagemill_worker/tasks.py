"""What a job has to do for each object of its shard, and the bytes-to-bytes work of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_worker.errors import ArgumentsError


@dataclass(frozen=True, slots=True)
class Task:
    """One object to read and one to write.

    Attributes:
        key: The source object's whole key: its name in the outcome.
        read: What to read, in the stage's own store.
        output_key: Whole key of what to write.
    """

    key: str
    read: SourceObject
    output_key: str


@dataclass(frozen=True, slots=True)
class Product:
    """A file to be written, and its size in pixels."""

    body: bytes
    width: int
    height: int


def resize_tasks(shard: Shard) -> list[Task | Outcome]:
    """A task for each object of the shard, in its order."""
    return [Task(item.key, item, _output_key(Stage.RESIZE, shard, item.key)) for item in shard.objects]


def edge_tasks(shard: Shard, resize_outcomes: Sequence[Outcome]) -> list[Task | Outcome]:
    """A task for each object that was resized, and the outcome of each that was not.

    Raises:
        ArgumentsError: The outcomes are not those of this shard.
    """
    if [item.key for item in shard.objects] != [row.key for row in resize_outcomes]:
        raise ArgumentsError("The resize outcomes are not those of this shard's objects.")
    return [_edge_task(shard, row) for row in resize_outcomes]


def product_of(stage: Stage, body: bytes, recipe: Recipe) -> Product:
    """The file that a stage makes of a file. Raises PictureError, MemoryError."""
    if stage is Stage.RESIZE:
        from imagemill_worker.encode import encoded
        from imagemill_worker.resize import resized

        image = resized(body, recipe)
        return Product(encoded(image, recipe.format, recipe.quality), image.shape[1], image.shape[0])
    from imagemill_worker.edges import edge_map, encoded_edges

    edges = edge_map(body, recipe)
    return Product(encoded_edges(edges), edges.shape[1], edges.shape[0])


def _edge_task(shard: Shard, row: Outcome) -> Task | Outcome:
    if row.status is not Status.WRITTEN or row.output_key is None:
        detail = "There is no resized picture to find edges in."
        return Outcome(row.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE, detail)
    read = SourceObject(row.output_key, "", row.output_bytes)
    return Task(row.key, read, _output_key(Stage.EDGE, shard, row.key))


def _output_key(stage: Stage, shard: Shard, key: str) -> str:
    relative = keys.relative_key(key, shard.source.prefix)
    return shard.output.prefix + keys.output_key(stage, relative, shard.recipe.format)
