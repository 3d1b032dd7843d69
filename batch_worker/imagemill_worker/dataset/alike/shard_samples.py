"""Reads samples of a dataset shard that are at certain places in it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator

from imagemill_dataset.names import format_of
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.spool import temporary_file


def samples_at(
    dataset: DatasetStore, key: str, positions: Collection[int], stopping: threading.Event
) -> Iterator[tuple[int, Sample]]:
    """The samples at these positions of the shard with that key, below the output.

    Raises ArgumentsError for a damaged shard, and TryAgainError if `stopping` is set.
    """
    with temporary_file() as file:
        dataset.store.fetch_file(dataset.output.prefix + key, file)
        file.seek(0)
        try:
            for position, sample in enumerate(dataset_format(format_of(key)).read(file)):
                if stopping.is_set():
                    raise TryAgainError("The command was told to stop.")
                if position in positions:
                    yield position, sample
        except DamagedShardError as error:
            raise ArgumentsError(f"{key} is damaged. `imagemill verify` says more.") from error
