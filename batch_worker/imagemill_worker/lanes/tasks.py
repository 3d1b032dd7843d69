"""Tasks: what a job has to do with each object of its shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Recipe
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.pixels import Area

_VALUES = 8  # of a task's row, before those of its smaller sizes


@dataclass(frozen=True, slots=True)
class Task:
    """One object to read and one to write.

    Attributes:
        key: The source object's whole key: its name in the outcome.
        read: What to read, in the stage's own store.
        output_key: Whole key of what to write; empty for what is packed.
        digest: SHA-256 that the read bytes must have; empty if it is not known.
        offset: Where it begins in the intermediate shard, in bytes.
        area: Left, top, width and height of the picture within its padding; None without padding.
        smaller: The other sizes of the object, the largest of them first, as tasks of their own.
    """

    key: str
    read: SourceObject
    output_key: str
    digest: str = ""
    offset: int = 0
    area: Area | None = None
    smaller: tuple[Task, ...] = ()

    @property
    def sizes(self) -> tuple[Task, ...]:
        """What is read and written in each size, the largest first."""
        return (self, *self.smaller)

    def to_row(self) -> list[object]:
        """The task as JSON, without names: a shard may have tens of thousands."""
        read = self.read
        return [
            self.key,
            read.key,
            read.etag,
            read.bytes,
            self.output_key,
            self.digest,
            self.offset,
            self.area,
            *(item.to_row() for item in self.smaller),
        ]

    @classmethod
    def from_row(cls, row: Sequence[object]) -> Task:
        key, name, etag, size, output_key, digest, offset, area = cast(
            "tuple[str, str, str, int, str, str, int, Area | None]", row[:_VALUES]
        )
        read, within = SourceObject(name, etag, size), area and cast("Area", tuple(area))
        smaller = tuple(map(cls.from_row, cast("Sequence[Sequence[object]]", row[_VALUES:])))
        return cls(key, read, output_key, digest, offset, within, smaller)


def resize_tasks(shard: Shard) -> list[Task | Outcome]:
    """A task for each object of the shard, in its order."""
    recipes = keys.recipes_of(Stage.RESIZE, shard.recipe)

    def task(item: SourceObject) -> Task:
        largest, *smaller = (
            Task(item.key, item, result_key(Stage.RESIZE, shard, item.key, recipe))
            for recipe in recipes
        )
        return replace(largest, smaller=tuple(smaller)) if smaller else largest

    return list(map(task, shard.objects))


def later_tasks(
    stage: Stage,
    shard: Shard,
    before: Mapping[Stage, Sequence[Outcome]],
    offsets: Sequence[Sequence[int]] = (),
) -> list[Task | Outcome]:
    """A task for each object that all stages before have written, and the outcome of each other.

    `before` has the outcomes of these stages; `offsets` are those of the pictures in the
    intermediate shard, in each size, by place in the shard.

    Raises:
        ArgumentsError: The outcomes are not those of this shard.
    """
    for outcomes in before.values():
        check_rows(shard, outcomes)
    rows: list[Task | Outcome] = []
    for place, of_stages in enumerate(zip(*before.values(), strict=True)):
        of_object = dict(zip(before, of_stages, strict=True))
        of_sizes = offsets[place] if offsets else ()
        resized = of_object[Stage.RESIZE]
        rows.append(_left_out(of_object) or _later_task(stage, shard, resized, of_sizes))
    return rows


def check_rows(shard: Shard, outcomes: Sequence[Outcome]) -> None:
    """Raises ArgumentsError unless the outcomes are those of the shard's objects, in its order."""
    if [item.key for item in shard.objects] != [row.key for row in outcomes]:
        raise ArgumentsError("The outcomes are not those of this shard's objects.")


def _left_out(before: Mapping[Stage, Outcome]) -> Outcome | None:
    """The outcome of an object for which a stage before has written nothing; None of any other."""
    for stage, row in before.items():
        if row.status is not Status.WRITTEN:
            detail = f"The stage {stage} has written nothing for it."
            return Outcome(row.key, Status.SKIPPED, stage.missing, detail)
    return None


def _later_task(stage: Stage, shard: Shard, row: Outcome, offsets: Sequence[int]) -> Task:
    """The task of a stage that reads the resized picture of `row`, in one or all sizes."""
    recipes = keys.recipes_of(stage, shard.recipe)
    written = row.sizes if stage.entry.in_sizes else row.sizes[:1]
    if len(written) != len(recipes):
        raise ArgumentsError(f"{row.key!r} was resized to {len(written)} of {len(recipes)} sizes.")
    largest, *smaller = (
        Task(
            row.key,
            SourceObject(of_size.output_key or "", "", of_size.output_bytes),
            result_key(stage, shard, row.key, recipe),
            of_size.sha256,
            offset,
            of_size.area,
        )
        for of_size, recipe, offset in zip(
            written, recipes, offsets or [0] * len(written), strict=False
        )
    )
    return replace(largest, smaller=tuple(smaller)) if smaller else largest


def result_key(stage: Stage, shard: Shard, key: str, recipe: Recipe) -> str:
    """The whole key of a result by the recipe of its size; empty for what is packed."""
    if recipe.is_packed:
        return ""
    relative = keys.relative_key(key, shard.source.prefix)
    return shard.output.prefix + keys.output_key(stage, relative, recipe)
