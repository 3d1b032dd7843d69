"""Packs spooled edge maps and fetched pictures into the dataset shards of one work shard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_contract.documents import Shard
from imagemill_contract.keys import relative_key
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import Value
from imagemill_contract.recipe_parts.given import size_columns
from imagemill_dataset import names
from imagemill_dataset.shard_sizes import end_bytes, even_pieces, packed_bytes
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.dataset.formats.given import given_values
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.write_shard import Member, ShardWriter
from imagemill_worker.errors import TryAgainError
from imagemill_worker.journal import Journal
from imagemill_worker.spool import Spooled
from imagemill_worker.stores.store import Store


@dataclass(frozen=True, slots=True)
class PackedJob:
    """What is packed, by place in the work shard.

    Attributes:
        pictures: Where each picture of the intermediate shard is.
        edges: Where each edge map is.
        given: Where each file is that a model has given.
        journal: What earlier attempts have packed, and where this one notes what it packs.
    """

    store: Store
    shard: Shard
    journal: Journal
    pictures: Mapping[int, Spooled]
    resize_outcomes: Sequence[Outcome]
    edges: Mapping[int, Spooled]
    edge_outcomes: Sequence[Outcome]
    given: Mapping[int, Spooled] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packed:
    """What a job has packed: its outcomes, in shard order, and the dataset shards."""

    outcomes: list[Outcome]
    shards: list[DatasetShard]


@dataclass(frozen=True, slots=True)
class _Part:
    """The parts of a sample: picture and edge map of one object, and what a model has given."""

    place: int
    relative: str
    picture: Spooled
    sha256: str
    edges: Spooled
    width: int
    height: int
    columns: tuple[Value, ...]
    given: Spooled | None

    @property
    def given_bytes(self) -> int:
        """Of what a model has given, and of smaller sizes."""
        smaller = (*self.picture.smaller, *self.edges.smaller)
        return sum(it.length for it in smaller) + (self.given.length if self.given else 0)

    @property
    def bytes(self) -> int:
        return self.picture.length + self.edges.length + self.given_bytes


def pack_dataset(job: PackedJob, stopping: threading.Event) -> Packed:
    """Write the dataset shards of a work shard, each whole or not at all, and read each back.

    What is written depends only on the work shard and the products. So a shard that an earlier
    attempt has written and read back is not written again.

    Raises:
        TryAgainError: The store cannot be reached, a disk is full, what was read back is not what
            was written, or `stopping` is set.
        StoreRefusedError: The job may not write there.
    """
    prefix = job.shard.output.prefix
    proven = job.journal.shards
    columns = job.shard.recipe.sample_columns
    writer = ShardWriter(job.store, prefix, lambda shard: proven.get(shard.key) == shard, columns)
    outcomes, shards = list(job.edge_outcomes), []
    for split, members in _by_split(job).items():
        for number, piece in enumerate(_pieces(job.shard, members)):
            written = _written(writer, job.shard, split, number, piece, stopping)
            shards.append(written)
            for position, part in enumerate(piece):
                outcomes[part.place] = outcomes[part.place]._replace(
                    output_key=prefix + written.key, position=position
                )
                job.journal.add(outcomes[part.place])
            job.journal.write([written])
    return Packed(outcomes, shards)


def _by_split(job: PackedJob) -> dict[str, list[_Part]]:
    """Members of each split, in the order of their samples."""
    recipe = job.shard.recipe
    parts = {part.relative: part for part in _parts(job)}
    order = names.in_order(sorted(parts, key=lambda name: parts[name].place), recipe)
    members: dict[str, list[_Part]] = {name: [] for name, _ in recipe.split}
    for relative in order:
        members[_split_of(job.shard, relative)].append(parts[relative])
    return members


def _split_of(shard: Shard, relative: str) -> str:
    planned = shard.splits.get(shard.source.prefix + relative)
    return planned or names.split_of(relative, shard.recipe.split, shard.recipe.split_by)


def _parts(job: PackedJob) -> Iterator[_Part]:
    for place, edges in job.edges.items():
        row = job.resize_outcomes[place]
        relative = relative_key(row.key, job.shard.source.prefix)
        picture = job.pictures[place]
        columns = job.shard.objects[place].columns
        given = job.given.get(place)
        yield _Part(
            place, relative, picture, row.sha256, edges, row.width, row.height, columns, given
        )


def _pieces(shard: Shard, members: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    sizes = [
        packed_bytes(
            shard.recipe,
            len(names.sample_key(part.relative)),
            part.picture.length,
            part.edges.length,
            part.columns,
            part.given_bytes,
        )
        for part in members
    ]
    most_bytes = shard.recipe.shard_bytes - end_bytes(shard.recipe.output)
    for first, last in even_pieces(sizes, most_bytes):
        yield members[first:last]


def _written(
    writer: ShardWriter,
    shard: Shard,
    split: str,
    number: int,
    piece: Sequence[_Part],
    stopping: threading.Event,
) -> DatasetShard:
    recipe = shard.recipe
    tag = names.shard_tag(shard.run_id, shard.shard_id)
    key = names.dataset_shard_key(recipe.dataset_name, split, tag, number, recipe.output)

    def members() -> Iterator[Member]:
        for part in piece:
            if stopping.is_set():
                raise TryAgainError("The job was told to stop.")
            yield Member(_sample(shard, part), part.edges.pixels)

    return writer.write(key, split, members(), max(part.bytes for part in piece))


def _sample(shard: Shard, part: _Part) -> Sample:
    recipe = shard.recipe
    columns = dict(zip((name for name, _ in recipe.columns), part.columns, strict=True))
    text = names.class_of(part.relative) if recipe.label_from_folder else None
    given = given_values(recipe.model_output, part.given.read()) if part.given else {}
    return Sample(
        key=names.sample_key(part.relative),
        filename=part.relative.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        image=part.picture.read(),
        image_format=recipe.format,
        edge=part.edges.read(),
        width=part.width,
        height=part.height,
        sha256=part.sha256,
        label=None if text is None else shard.labels[text],
        label_text=text or "",
        columns={**columns, **given, **_sizes(recipe, part)},
    )


def _sizes(recipe: Recipe, part: _Part) -> dict[str, bytes]:
    """The columns of smaller sizes, the smallest first."""
    pairs = zip(part.picture.smaller[::-1], part.edges.smaller[::-1], strict=True)
    bodies = (file.read() for pair in pairs for file in pair)
    return dict(zip((name for name, _ in size_columns(recipe.sizes)), bodies, strict=True))
