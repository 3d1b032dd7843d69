"""`compact`: rewrites dataset shards without superseded samples, and merges small shards.

The next compaction finishes one that was killed. None begins while a run is going on. A run that
begins meanwhile loses nothing: it adds its own part to the index, and leaves merging alone.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from imagemill_contract.keys import INDEX
from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.recipe_parts.given import NamedKinds, fitted_value
from imagemill_dataset import names
from imagemill_dataset.files.holdings import Holdings
from imagemill_dataset.index import Entry, Place
from imagemill_dataset.parts.part import Row
from imagemill_dataset.shard_sizes import end_bytes, even_pieces, packed_bytes
from imagemill_dataset.shards import DatasetShard
from imagemill_dataset.stored_index import StoredIndex
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.index_swap import put_in_place
from imagemill_worker.dataset.lease import PATIENCE_SECONDS, upkeep_lease
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.dataset.write_shard import Member, ShardWriter
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.picture.edges import pixel_sums
from imagemill_worker.progress import Pace, log
from imagemill_worker.spool import sha256_of, temporary_file
from imagemill_worker.stores.weather import Weather

# A shard is small if it has less than this share of the bytes that it may have. Of the pieces that
# samples are cut into, only the last, or one beside a sample that is too large, can be small.
_CRUMB_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class _Living:
    """A sample that stays, and where it is."""

    relative: str
    entry: Entry
    place: Place


def compact(address: str, stopping: threading.Event) -> None:
    """Rewrite the shards that need it, and log how many samples and shards these were.

    Raises:
        ArgumentsError: There is no output, or no packed dataset in it; or a run or another
            compaction is on there.
        TryAgainError: The store cannot be reached, or the process was told to stop, or stood still.
        StoreRefusedError: It may not be read or written.
    """
    weather = Weather(patience_seconds=PATIENCE_SECONDS, stopping=stopping)
    dataset = DatasetStore.open(address, weather)
    if not dataset.keys(INDEX):
        raise ArgumentsError(f"There are no dataset shards at {dataset.output}.")
    with upkeep_lease(dataset, "compact") as lease:
        index = lease.settled_index()
        held = _counted(dataset, index)
        superseded = held.superseded_samples()
        old = frozenset({*superseded, *_crumbs(held)})
        written: list[DatasetShard] = []
        if old:
            written, moved = _rewritten(dataset, index, old, stopping)
            rows = ((key, moved.get(key, entry)) for key, entry in dataset.rows_of(index))
            shards = {shard.key: shard for shard in (*held.shards.values(), *written)}
            put_in_place(lease, index, rows, shards, old)
    counts = {"superseded": sum(superseded.values()), "removed": len(old), "written": len(written)}
    log("compacted", counts)


def _counted(dataset: DatasetStore, index: StoredIndex) -> Holdings:
    """What the dataset holds. Raises ArgumentsError if that is nothing."""
    if not index.shards:
        raise ArgumentsError(f"There are no dataset shards at {dataset.output}.")
    held = Holdings.of_entries((entry for _, entry in dataset.rows_of(index)), index.shards)
    if not held.living:
        raise ArgumentsError(
            f"All samples at {dataset.output} are superseded, so nothing would be left. Remove the "
            "folder dataset/ by hand if that is what you want."
        )
    return held


def _crumbs(held: Holdings) -> Iterator[str]:
    """Small shards that could be merged, as many small runs leave them."""
    last = held.sums.last
    most_bytes = Recipe.from_document(last.recipe).shard_bytes * _CRUMB_SHARE if last else 0
    kinds: dict[tuple[Output, str], list[str]] = defaultdict(list)
    for key in held.living:
        shard = held.shards[key]
        if shard.bytes < most_bytes:
            kinds[names.format_of(key), shard.split].append(key)
    for keys in kinds.values():
        if len(keys) > 1:
            yield from keys


def _rewritten(
    dataset: DatasetStore, index: StoredIndex, old: frozenset[str], stopping: threading.Event
) -> tuple[list[DatasetShard], dict[str, Entry]]:
    """Write new shards with the living samples of old ones; these, and the rows that name them."""
    shards, written, moved = index.shards, list[DatasetShard](), dict[str, Entry]()
    tag = names.compact_tag(shards[key].sha256 for key in sorted(old))
    for (output, split), living in _by_kind(dataset.rows_of(index), shards, old).items():
        samples = _samples_of(dataset, index, living, stopping)
        last = max((it.entry.run for it in living), key=lambda run: (run.started, run.run_id))
        recipe = replace(Recipe.from_document(last.recipe), output=output)
        for number, piece in enumerate(_pieces(recipe, living)):
            key = names.dataset_shard_key(recipe.dataset_name, split, tag, number, output)
            shard = _written(dataset, key, split, piece, samples, recipe.sample_columns)
            written.append(shard)
            for position, item in enumerate(piece):
                place = item.place._replace(shard=key, position=position)
                moved[item.relative] = item.entry._replace(place=place)
    return written, moved


def _by_kind(
    rows: Iterable[Row], shards: Mapping[str, DatasetShard], old: frozenset[str]
) -> dict[tuple[Output, str], list[_Living]]:
    """Samples that stay, by format and split, in the order of shards and positions."""
    kinds: dict[tuple[Output, str], list[_Living]] = defaultdict(list)
    for relative, entry in rows:
        place = entry.place
        if place and place.shard in old:
            kind = names.format_of(place.shard), shards[place.shard].split
            kinds[kind].append(_Living(relative, entry, place))
    for living in kinds.values():
        living.sort(key=lambda item: (item.place.shard, item.place.position))
    return kinds


def _pieces(recipe: Recipe, living: Sequence[_Living]) -> Iterator[Sequence[_Living]]:
    sizes = [
        packed_bytes(
            recipe,
            len(names.sample_key(item.relative)),
            item.place.image_bytes,
            item.place.edge_bytes,
            item.entry.columns,
            item.place.given_bytes,
        )
        for item in living
    ]
    for first, last in even_pieces(sizes, recipe.shard_bytes - end_bytes(recipe.output)):
        yield living[first:last]


def _samples_of(
    dataset: DatasetStore, index: StoredIndex, living: Sequence[_Living], stopping: threading.Event
) -> Iterator[Sample]:
    """The samples themselves, in the order of `living`; each old shard is fetched once.

    Raises ArgumentsError for a damaged shard.
    """
    by_shard, shards = defaultdict[str, set[int]](set), index.shards
    for item in living:
        by_shard[item.place.shard].add(item.place.position)
    pace = Pace()
    for number, (key, positions) in enumerate(by_shard.items()):
        if pace.is_time():
            log("rewriting", {"done": number, "shards": len(by_shard)})
        with temporary_file() as file:
            dataset.store.fetch_file(dataset.output.prefix + key, file)
            if sha256_of(file) != shards[key].sha256:
                raise ArgumentsError(f"{key} is damaged; run `imagemill verify` for details.")
            file.seek(0)
            for position, sample in enumerate(dataset_format(names.format_of(key)).read(file)):
                if stopping.is_set():
                    raise TryAgainError("The compaction was told to stop.")
                if position in positions:
                    yield sample


def _written(
    dataset: DatasetStore,
    key: str,
    split: str,
    piece: Sequence[_Living],
    samples: Iterator[Sample],
    columns: NamedKinds,
) -> DatasetShard:
    def members() -> Iterator[Member]:
        for item, sample in zip(piece, samples, strict=False):
            if sample.sha256 != item.place.sha256:
                raise ArgumentsError(f"{item.place.shard} does not hold what the index says.")
            said = {name: fitted_value(sample.columns.get(name), kind) for name, kind in columns}
            yield Member(replace(sample, columns=said), pixel_sums(sample.image))

    places = [item.place for item in piece]
    largest = max(it.image_bytes + it.edge_bytes + it.given_bytes for it in places)
    writer = ShardWriter(dataset.store, dataset.output.prefix, columns=columns)
    return writer.write(key, split, members(), largest)
