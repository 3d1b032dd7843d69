"""`duplicates`: finds pictures that are the same, or look alike.

The index is read twice, row by row: for the numbers that are compared, 8 bytes of each picture, and
for the names of those that have duplicates. So no names are held of all others.
"""

from __future__ import annotations

import threading
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from imagemill_contract.outcomes import PLAIN
from imagemill_contract.recipe_parts.choices import Measure
from imagemill_dataset.index import Entry
from imagemill_dataset.names import source_name
from imagemill_dataset.stored_index import StoredIndex
from imagemill_worker.dataset.alike.by_vectors import THREADS, groups_by_vectors
from imagemill_worker.dataset.alike.near import leaders
from imagemill_worker.dataset.alike.shard_samples import samples_at
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.picture.fingerprint import difference_hash_of_file
from imagemill_worker.progress import log
from imagemill_worker.stores.opening import patience_seconds
from imagemill_worker.stores.weather import Weather

Groups = list[list[str]]
Row = tuple[str, Entry]


@dataclass(slots=True)
class _Counts:
    """Pictures that were compared, that are all of one brightness, and without what is compared."""

    compared: int = 0
    plain: int = 0
    unknown: int = 0


def duplicates(
    address: str,
    stopping: threading.Event,
    *,
    by: Measure = Measure.FINGERPRINT,
    distance: float | None,
) -> None:
    """Log the groups of pictures that are duplicates, and a summary.

    Without `distance`: samples whose resized pictures have the same bytes. With it: pictures whose
    fingerprints differ in at most so many bits, or whose vectors have a cosine of at least
    1 - `distance`, and all that are linked by such.

    Raises:
        ArgumentsError: There are no results, or only files and no `distance`, or no vectors, or
            `distance` is none of the measure, or a shard that must be read is missing or damaged.
        TryAgainError: The store cannot be reached, or the process was told to stop.
        StoreRefusedError: It may not be read.
    """
    if fault := by.fault_of(distance):
        raise ArgumentsError(fault)
    weather = Weather(THREADS, patience_seconds(), stopping)
    dataset = DatasetStore.open(address, weather)
    index = dataset.opened_index()
    if distance is None and not index.shards:
        raise ArgumentsError(
            f"There are no dataset shards at {dataset.output}. Files are compared by --distance."
        )
    if not index.parts:
        raise ArgumentsError(f"There are no results at {dataset.output}.")
    counts = _Counts()
    if distance is None:
        groups = _same(index, counts)
    elif by is Measure.VECTOR:
        found, counts.compared, counts.unknown = groups_by_vectors(
            dataset, index, distance, stopping
        )
        rows = count()
        groups = grouped(index.rows(), lambda *_: found.get(next(rows)))
    else:
        groups = _alike(dataset, index, int(distance), counts, stopping)
    for names in groups:
        log("duplicates", {"names": [_readable(name) for name in names]})
    extra = sum(len(names) - 1 for names in groups)
    log(
        "compared",
        {
            "pictures": counts.compared,
            "groups": len(groups),
            "extra": extra,
            "plain": counts.plain,
            "unknown": counts.unknown,
        },
    )


def _same(index: StoredIndex, counts: _Counts) -> Groups:
    """Samples whose pictures have the same SHA-256."""
    places = (entry.place for _, entry in index.rows())
    digests = array("Q", (int(place.sha256[:16], 16) for place in places if place))
    counts.compared = len(digests)
    values, found = np.unique_counts(np.frombuffer(digests, np.uint64))
    several = frozenset(values[found > 1].tolist())

    def group_of(_name: str, entry: Entry) -> str | None:
        digest = entry.place.sha256 if entry.place else ""
        return digest if digest and int(digest[:16], 16) in several else None

    return grouped(index.rows(), group_of)


def _alike(
    dataset: DatasetStore,
    index: StoredIndex,
    distance: int,
    counts: _Counts,
    stopping: threading.Event,
) -> Groups:
    """Pictures whose fingerprints are near each other."""
    numbers = array("Q")
    unknown: dict[str, set[int]] = defaultdict(set)
    for _, entry in index.rows():
        if entry.reason is not None:
            continue
        if entry.fingerprint == PLAIN:
            counts.plain += 1
        elif entry.fingerprint:
            numbers.append(int(entry.fingerprint, 16))
        elif entry.place:
            unknown[entry.place.shard].add(entry.place.position)
        else:
            counts.unknown += 1
    read = dict(_read_fingerprints(dataset, unknown, stopping))
    counts.plain += sum(number is None for number in read.values())
    numbers.extend(number for number in read.values() if number is not None)
    counts.compared = len(numbers)
    group_of_number = linked_numbers(numbers, distance)

    def group_of(name: str, entry: Entry) -> int | None:
        if entry.reason is not None or entry.fingerprint == PLAIN:
            return None
        number = int(entry.fingerprint, 16) if entry.fingerprint else read.get(name)
        return None if number is None else group_of_number.get(number)

    return grouped(index.rows(), group_of)


def linked_numbers(numbers: array[int], distance: int) -> dict[int, int]:
    """The group of each number that another is linked with, or that is there several times."""
    values, found = np.unique_counts(np.frombuffer(numbers, np.uint64))
    groups = leaders(values, distance)
    members = np.bincount(groups, found, len(values))[groups] > 1
    return dict(zip(values[members].tolist(), groups[members].tolist(), strict=True))


def grouped(rows: Iterable[Row], group_of: Callable[[str, Entry], object | None]) -> Groups:
    """Names of rows, which are in the order of names, by their groups; groups of one left out."""
    groups: dict[object, list[str]] = defaultdict(list)
    for name, entry in rows:
        group = group_of(name, entry)
        if group is not None:
            groups[group].append(name)
    return [names for names in groups.values() if len(names) > 1]


def _readable(name: str) -> str:
    """Names of files may hold bytes that are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _read_fingerprints(
    dataset: DatasetStore, wanted: Mapping[str, set[int]], stopping: threading.Event
) -> Iterator[tuple[str, int | None]]:
    """Fingerprints by names, of samples that an earlier version has written."""
    for key, positions in sorted(wanted.items()):
        for _, sample in samples_at(dataset, key, positions, stopping):
            yield source_name(sample.key), difference_hash_of_file(sample.image)
