"""Finds damaged dataset shards: fetches each one and compares it with the index.

Of the index only digests are held, 33 bytes for each sample.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from imagemill_contract.keys import DATASET
from imagemill_dataset.index import Place
from imagemill_dataset.parts.part import Row
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.dataset.formats.samples import DamagedShardError
from imagemill_worker.dataset.proof import check_shard
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.progress import Pace, log
from imagemill_worker.spool import temporary_file

_DIGEST_BYTES = 32  # of SHA-256
# A bit that flips on its way does not mean that the shard is damaged.
_READS = 3


class Digests(Mapping[int, str]):
    """Hexadecimal digests of those samples of a dataset shard that count, by position."""

    def __init__(self, samples: int) -> None:
        self._digests = bytearray(samples * _DIGEST_BYTES)
        self._counts = bytearray(samples)  # 1 where the sample does

    def note(self, place: Place) -> None:
        """Note a sample. What the index names beyond the end of the shard is left out."""
        start = place.position * _DIGEST_BYTES
        if place.position < len(self._counts):
            digest = bytes.fromhex(place.sha256).ljust(_DIGEST_BYTES, b"\0")[:_DIGEST_BYTES]
            self._digests[start : start + _DIGEST_BYTES] = digest
            self._counts[place.position] = 1

    def __getitem__(self, position: int) -> str:
        if not 0 <= position < len(self._counts) or not self._counts[position]:
            raise KeyError(position)
        start = position * _DIGEST_BYTES
        return self._digests[start : start + _DIGEST_BYTES].hex()

    def __iter__(self) -> Iterator[int]:
        return (position for position, counts in enumerate(self._counts) if counts)

    def __len__(self) -> int:
        return sum(self._counts)


@dataclass(slots=True)
class IndexedSamples:
    """Samples that count.

    Attributes:
        shards: Dataset shards by key, including those whose samples are all superseded.
        digests: Digests of samples, by the keys of their shards.
        living: How many samples of each shard count.
        doubled: Shards in which two samples have one position, each with a sentence.
    """

    shards: Mapping[str, DatasetShard]
    digests: dict[str, Digests] = field(default_factory=dict)
    living: Counter[str] = field(default_factory=Counter)
    doubled: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Iterable[Row], shards: Mapping[str, DatasetShard]) -> IndexedSamples:
        """What rows of the index say, which are not held. `shards` has all that they name."""
        found = cls(shards)
        for relative, entry in rows:
            if entry.place:
                found._add(relative, entry.place)
        return found

    def _add(self, relative: str, place: Place) -> None:
        key, position = place.shard, place.position
        if key not in self.digests:
            self.digests[key] = Digests(self.shards[key].samples)
        if position in self.digests[key]:
            detail = f"The index has two samples at position {position}; one is {relative!r}."
            self.doubled.setdefault(key, detail)
        self.digests[key].note(place)
        self.living[key] += 1

    def superseded(self) -> int:
        """How many samples no longer count."""
        return sum(shard.samples - self.living[key] for key, shard in self.shards.items())


def damaged_shards(
    dataset: DatasetStore, indexed: IndexedSamples, stopping: threading.Event
) -> Iterator[tuple[str, str]]:
    """Damaged shards, each with a sentence that says why. Logs now and then how many are read.

    Raises TryAgainError if the process is told to stop.
    """
    there = set(dataset.keys(DATASET))
    pace = Pace()
    for number, (key, shard) in enumerate(sorted(indexed.shards.items())):
        if stopping.is_set():
            raise TryAgainError("The command was told to stop.")
        if pace.is_time():
            log("checking", {"done": number, "shards": len(indexed.shards)})
        digests = indexed.digests.get(key)
        if key not in there and digests is None:
            continue  # its pictures were done again: nothing is lost with it
        if detail := _damage(dataset, shard, {} if digests is None else digests):
            yield key, detail


def _damage(dataset: DatasetStore, shard: DatasetShard, digests: Mapping[int, str]) -> str:
    """What is wrong with a shard however often it is read; empty if it is whole."""
    for _ in range(_READS):
        with temporary_file() as file:
            try:
                dataset.store.fetch_file(dataset.output.prefix + shard.key, file)
                check_shard(file, shard, digests)
            except ArgumentsError as error:
                return str(error)
            except DamagedShardError as error:
                detail = str(error)
                continue
        return ""
    return detail
