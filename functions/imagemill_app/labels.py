"""Gives numbers to new classes, even while other runs do the same."""

from __future__ import annotations

from collections.abc import Iterable

from imagemill_app.stores import StoreAt, create_bytes
from imagemill_contract.locations import Location
from imagemill_dataset.labels import batch_key, encode_batch
from imagemill_dataset.stored_dataset import read_labels

# An attempt fails only if another run has added a batch.
MAX_ATTEMPTS = 100


class LabelsError(Exception):
    """Other runs were always faster. The Lambda's attempt fails and is retried."""


def numbered_classes(output: Location, classes: Iterable[str]) -> dict[str, int]:
    """Give numbers to those of `classes` that have none, and return the numbers of all classes.

    A batch can only be created, never overwritten; a run that comes too late reads again.
    """
    wanted = set(classes)
    for _ in range(MAX_ATTEMPTS):
        numbers = read_labels(StoreAt(output))
        missing = wanted - set(numbers)
        if not missing:
            return numbers
        create_bytes(output, batch_key(len(numbers)), encode_batch(missing))
    raise LabelsError(f"{len(missing)} classes could not be given a number.")
