"""From spooled edge maps and fetched pictures to the dataset shards of one work shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from imagemill_contract.documents import Shard
from imagemill_contract.keys import relative_key
from imagemill_contract.outcomes import Outcome
from imagemill_dataset import names
from imagemill_dataset.shard_sizes import end_bytes, even_pieces, packed_bytes
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker import stores
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.proof import prove
from imagemill_worker.spool import Spooled, disk_told, sha256_of, temporary_file


@dataclass(frozen=True, slots=True)
class Packed:
    """What a job has packed: its outcomes, by place in the shard, and the dataset shards."""

    outcomes: list[Outcome]
    shards: list[DatasetShard]


@dataclass(frozen=True, slots=True)
class _Part:
    """What becomes of one object: its picture and its edge map, still apart."""

    at: int
    relative: str
    picture: Spooled
    sha256: str
    edges: Spooled
    width: int
    height: int


def pack_dataset(
    store: stores.Store,
    shard: Shard,
    pictures: Mapping[int, Spooled],
    resize_outcomes: Sequence[Outcome],
    edges: Mapping[int, Spooled],
    edge_outcomes: Sequence[Outcome],
    check_stop: Callable[[], None],
) -> Packed:
    """Write the dataset shards of a work shard, each whole or not at all, and read each back.

    `pictures` and `edges` are by place in the shard. What is written depends on the shard and the
    products alone. `check_stop` is called between samples and raises when the job must end.

    Raises:
        TryAgainError: The store cannot be reached, a disk is full, or what was read back is not
            what was written.
        StoreRefusedError: The job may not write there.
    """
    parts = {}
    for at, spooled in edges.items():
        row = resize_outcomes[at]
        relative = relative_key(row.key, shard.source.prefix)
        parts[relative] = _Part(
            at, relative, pictures[at], row.sha256, spooled, row.width, row.height
        )
    outcomes, shards = list(edge_outcomes), []
    for split, members in _by_split(shard, parts).items():
        for number, piece in enumerate(_pieces(shard, members)):
            written = _write(store, shard, split, number, piece, check_stop)
            shards.append(written)
            for position, part in enumerate(piece):
                key = shard.output.prefix + written.key
                outcomes[part.at] = replace(outcomes[part.at], output_key=key, position=position)
    return Packed(outcomes, shards)


def _by_split(shard: Shard, parts: Mapping[str, _Part]) -> dict[str, list[_Part]]:
    """Members of each split, in the order of their samples."""
    order = names.in_order(sorted(parts, key=lambda name: parts[name].at), shard.recipe)
    members: dict[str, list[_Part]] = {name: [] for name, _ in shard.recipe.split}
    for relative in order:
        members[names.split_of(relative, shard.recipe.split)].append(parts[relative])
    return members


def _pieces(shard: Shard, members: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    sizes = [
        packed_bytes(
            shard.recipe,
            len(names.sample_key(part.relative)),
            part.picture.length,
            part.edges.length,
        )
        for part in members
    ]
    most_bytes = shard.recipe.shard_bytes - end_bytes(shard.recipe.output)
    for first, last in even_pieces(sizes, most_bytes):
        yield members[first:last]


def _write(
    store: stores.Store,
    shard: Shard,
    split: str,
    number: int,
    piece: Sequence[_Part],
    check_stop: Callable[[], None],
) -> DatasetShard:
    recipe = shard.recipe
    tag = names.shard_tag(shard.run_id, shard.shard_id)
    key = names.dataset_shard_key(recipe.dataset_name, split, tag, number, recipe.output)

    def samples() -> Iterator[Sample]:
        for part in piece:
            check_stop()
            yield _sample(shard, part)

    with temporary_file() as file:
        largest = max(part.picture.length + part.edges.length for part in piece)
        with disk_told():
            dataset_format(recipe.output).write(file, samples(), largest)
        written = DatasetShard(
            key=key,
            split=split,
            samples=len(piece),
            bytes=file.tell(),
            sha256=sha256_of(file),
            pixels=PixelSums.total(part.edges.pixels for part in piece),
        )
        stores.write_file(store, shard.output.prefix + key, file)
    prove(store, shard.output.prefix, written, [part.sha256 for part in piece])
    return written


def _sample(shard: Shard, part: _Part) -> Sample:
    text = names.class_of(part.relative) if shard.recipe.label_from_folder else None
    return Sample(
        key=names.sample_key(part.relative),
        filename=part.relative.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        image=part.picture.read(),
        image_format=shard.recipe.format,
        edge=part.edges.read(),
        width=part.width,
        height=part.height,
        sha256=part.sha256,
        label=None if text is None else shard.labels[text],
        label_text=text or "",
    )
