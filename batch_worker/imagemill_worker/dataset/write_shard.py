"""Writes one dataset shard, whole or not at all, and reads it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from imagemill_contract.recipe_parts.given import NamedKinds
from imagemill_dataset.names import format_of
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample
from imagemill_worker.dataset.proof import prove
from imagemill_worker.spool import disk_errors_mapped, sha256_of, temporary_file
from imagemill_worker.stores.store import Store


@dataclass(frozen=True, slots=True)
class Member:
    """A sample and the sums over the pixels of its picture."""

    sample: Sample
    pixels: PixelSums


@dataclass(frozen=True, slots=True)
class ShardWriter:
    """Writes dataset shards below `prefix`.

    `is_proven` says whether an earlier attempt has written and read back the very same shard;
    `columns` are those that all samples have.
    """

    store: Store
    prefix: str
    is_proven: Callable[[DatasetShard], bool] = lambda _: False
    columns: NamedKinds = ()

    def write(
        self, key: str, split: str, members: Iterable[Member], largest_bytes: int
    ) -> DatasetShard:
        """Write a shard, in the format that its key names, and read it back.

        `largest_bytes` is the most that the files of a member have together. What `members`
        raises is passed on.

        Raises:
            TryAgainError: The store cannot be reached, a disk is full, or what was read back is not
                what was written.
            StoreRefusedError: The job may not write there.
        """
        digests: list[str] = []
        sums: list[PixelSums] = []

        def samples() -> Iterator[Sample]:
            for member in members:
                digests.append(member.sample.sha256)
                sums.append(member.pixels)
                yield member.sample

        with temporary_file() as file:
            with disk_errors_mapped():
                dataset_format(format_of(key)).write(file, samples(), largest_bytes, self.columns)
            length = file.tell()
            total = PixelSums.total(sums)
            shard = DatasetShard(key, split, len(digests), length, sha256_of(file), total)
            if self.is_proven(shard):
                return shard
            self.store.write_file(self.prefix + key, file)
        prove(self.store, self.prefix, shard, digests)
        return shard
