"""`duplicates`: finds samples whose pictures are the same, or look alike."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from imagemill_dataset.index import Index
from imagemill_dataset.names import format_of, source_name
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.picture.fingerprint import difference_hash
from imagemill_worker.progress import log
from imagemill_worker.spool import temporary_file
from imagemill_worker.stores.opening import patience_seconds
from imagemill_worker.stores.weather import Weather

_BITS = 64

Groups = list[list[str]]


def duplicates(address: str, stopping: threading.Event, *, distance: int | None) -> None:
    """Log the groups of samples that are duplicates, and a summary.

    Without `distance` only the index is read: samples whose resized pictures have the same bytes.
    With it all shards are read: samples whose fingerprints differ in at most so many bits, and all
    that are linked by such.

    Raises:
        ArgumentsError: There is no packed dataset, or a shard is missing or damaged.
        TryAgainError: The store cannot be reached, or the process was told to stop.
        StoreRefusedError: It may not be read.
    """
    weather = Weather(patience_seconds=patience_seconds(), stopping=stopping)
    dataset = DatasetStore.open(address, weather)
    index = dataset.read_index()
    if not index.shards:
        raise ArgumentsError(f"There are no dataset shards at {dataset.output}.")
    if distance is None:
        groups = same_groups(_digests(index))
    else:
        groups = alike_groups(dict(_fingerprints(dataset, index, stopping)), distance)
    for names in groups:
        log("duplicates", {"names": [_readable(name) for name in names]})
    extra = sum(len(names) - 1 for names in groups)
    samples = index.living_samples().total()
    log("compared", {"samples": samples, "groups": len(groups), "extra": extra})


def same_groups(values: Mapping[str, object]) -> Groups:
    """Names with equal values, where there are several; names and groups in order."""
    by_value: dict[object, list[str]] = defaultdict(list)
    for name in sorted(values):
        by_value[values[name]].append(name)
    return sorted(names for names in by_value.values() if len(names) > 1)


def alike_groups(fingerprints: Mapping[str, int], distance: int) -> Groups:
    """Names whose 64-bit fingerprints are linked by steps of at most `distance` different bits.

    Of `distance + 1` bands of bits at least one is equal in two such fingerprints, so only those
    that share a band are compared.
    """
    numbers = sorted({*fingerprints.values()})
    leaders = {number: number for number in numbers}
    for one, other in _neighbours(numbers, distance):
        first, second = sorted((_leader(leaders, one), _leader(leaders, other)))
        leaders[second] = first
    return same_groups({name: _leader(leaders, value) for name, value in fingerprints.items()})


def _neighbours(numbers: Sequence[int], distance: int) -> Iterator[tuple[int, int]]:
    for shift, bits in _bands(distance + 1 if distance else 0):
        shared: dict[int, list[int]] = defaultdict(list)
        for number in numbers:
            shared[number >> shift & (1 << bits) - 1].append(number)
        for members in shared.values():
            for place, one in enumerate(members):
                for other in members[place + 1 :]:
                    if (one ^ other).bit_count() <= distance:
                        yield one, other


def _bands(count: int) -> Iterator[tuple[int, int]]:
    """First bit and width of each of so many bands, which together are all bits."""
    borders = [_BITS * band // count for band in range(count + 1)] if count else []
    for first, last in pairwise(borders):
        yield first, last - first


def _leader(leaders: dict[int, int], number: int) -> int:
    while leaders[number] != number:
        leaders[number] = leaders[leaders[number]]
        number = leaders[number]
    return number


def _readable(name: str) -> str:
    """Names of files may hold bytes that are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _digests(index: Index) -> dict[str, str]:
    return {name: entry.place.sha256 for name, entry in index.entries.items() if entry.place}


def _fingerprints(
    dataset: DatasetStore, index: Index, stopping: threading.Event
) -> Iterator[tuple[str, int]]:
    """Fingerprints by names, of all samples that count and have one."""
    living: dict[str, set[int]] = defaultdict(set)
    for entry in index.entries.values():
        if entry.place:
            living[entry.place.shard].add(entry.place.position)
    for key in sorted(living):
        yield from _of_shard(dataset, key, living[key], stopping)


def _of_shard(
    dataset: DatasetStore, key: str, wanted: set[int], stopping: threading.Event
) -> Iterator[tuple[str, int]]:
    with temporary_file() as file:
        dataset.store.fetch_file(dataset.output.prefix + key, file)
        file.seek(0)
        try:
            for position, sample in enumerate(dataset_format(format_of(key)).read(file)):
                if stopping.is_set():
                    raise TryAgainError("The command was told to stop.")
                found = difference_hash(sample.image) if position in wanted else None
                if found is not None:
                    yield source_name(sample.key), found
        except DamagedShardError as error:
            raise ArgumentsError(f"{key} is damaged. `imagemill verify` says more.") from error
