"""Numbers for new classes, given beside other runs that do the same."""

from __future__ import annotations

from collections.abc import Iterable

from imagemill_app.stores import StoreAt, create_bytes
from imagemill_contract.locations import Location
from imagemill_dataset.labels import batch_key, encode_batch
from imagemill_dataset.stored_dataset import read_labels

# Each time that it fails another run has added a batch.
MAX_ATTEMPTS = 100


class LabelsError(Exception):
    """Other runs were always faster. The attempt fails and is made again."""


def numbered_classes(output: Location, classes: Iterable[str]) -> dict[str, int]:
    """The number of each class of the dataset, after those of `classes` that have none got one.

    A batch is written only where there is none yet; who comes too late reads again and goes on.
    """
    wanted = set(classes)
    for _ in range(MAX_ATTEMPTS):
        numbers = read_labels(StoreAt(output))
        missing = wanted - set(numbers)
        if not missing:
            return numbers
        create_bytes(output, batch_key(len(numbers)), encode_batch(missing))
    raise LabelsError(f"No number could be given to {len(missing)} classes.")
