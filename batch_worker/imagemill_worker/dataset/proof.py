"""Checks a dataset shard: compares what a reader finds in it with what was to be written."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from imagemill_dataset.names import format_of
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample
from imagemill_worker.errors import TryAgainError
from imagemill_worker.spool import sha256_of, temporary_file
from imagemill_worker.stores.store import Store


def prove(store: Store, prefix: str, shard: DatasetShard, digests: Sequence[str]) -> None:
    """Fetch a dataset shard and check it. Raises TryAgainError if it is damaged.

    `digests` are those of its pictures, by position.
    """
    with temporary_file() as file:
        store.fetch_file(prefix + shard.key, file)
        try:
            check_shard(file, shard, dict(enumerate(digests)))
        except DamagedShardError as error:
            raise TryAgainError(f"{shard.key} was read back damaged: {error}") from error


def check_shard(file: BinaryIO, shard: DatasetShard, digests: Mapping[int, str]) -> None:
    """Check length and digest, every sample's own checksums, their number, and decode the first.

    `digests` are those of the pictures whose position is known. Raises DamagedShardError.
    """
    length = file.seek(0, os.SEEK_END)
    if length != shard.bytes:
        raise DamagedShardError(f"It has {length} bytes instead of {shard.bytes}.")
    if sha256_of(file) != shard.sha256:
        raise DamagedShardError("Its SHA-256 is not the one that is in the index.")
    file.seek(0)
    count = 0
    for sample in dataset_format(format_of(shard.key)).read(file):
        if count == 0:
            _decode(sample)
        if digests.get(count, sample.sha256) != sample.sha256:
            raise DamagedShardError(f"Sample {count} is not the one that is in the index.")
        count += 1
    if count != shard.samples:
        raise DamagedShardError(f"It has {count} samples instead of {shard.samples}.")


def _decode(sample: Sample) -> None:
    from PIL import Image  # quicker to import than OpenCV with numpy

    Image.MAX_IMAGE_PIXELS = None  # the recipe has its own limit
    for name, body in (("picture", sample.image), ("edge map", sample.edge)):
        try:
            with Image.open(io.BytesIO(body)) as image:
                image.load()
                size = image.size
        except (OSError, SyntaxError, ValueError) as error:
            raise _undecoded(name, sample) from error
        if size != (sample.width, sample.height):
            raise _undecoded(name, sample)


def _undecoded(name: str, sample: Sample) -> DamagedShardError:
    return DamagedShardError(f"The {name} of {sample.key!r} does not decode to its size.")
