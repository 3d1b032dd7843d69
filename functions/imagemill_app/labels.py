"""The numbers of classes in their store: read, and added to beside other runs."""

from __future__ import annotations

from collections.abc import Iterable

from imagemill_app.plan.sharding import Sifted
from imagemill_app.stores import create_bytes, list_keys, read_bytes
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import LABELS, relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.labels import batch_key, encode_batch, first_number, numbers_of
from imagemill_dataset.names import class_of

# Each time that it fails another run has added a batch.
MAX_ATTEMPTS = 100


class LabelsError(Exception):
    """Other runs were always faster. The attempt fails and is made again."""


def read_labels(output: Location) -> dict[str, int]:
    """The number of each class that has one."""
    keys = [key for key in list_keys(output, LABELS) if first_number(key) is not None]
    return numbers_of({key: read_bytes(output, key) for key in keys})


def numbered_classes(output: Location, classes: Iterable[str]) -> dict[str, int]:
    """The number of each class of the dataset, after those of `classes` that have none got one.

    A batch is written only where there is none yet; who comes too late reads again and goes on.
    """
    wanted = set(classes)
    for _ in range(MAX_ATTEMPTS):
        numbers = read_labels(output)
        missing = wanted - set(numbers)
        if not missing:
            return numbers
        create_bytes(output, batch_key(len(numbers)), encode_batch(missing))
    raise LabelsError(f"No number could be given to {len(missing)} classes.")


def classes_of(objects: Iterable[SourceObject], prefix: str) -> set[str]:
    """The classes of objects."""
    names = (class_of(relative_key(item.key, prefix)) for item in objects)
    return {name for name in names if name is not None}


def with_class(objects: Iterable[SourceObject], prefix: str) -> Sifted:
    """Refuse the objects that lie in no folder."""
    kept: list[SourceObject] = []
    refused: list[Outcome] = []
    for item in objects:
        if class_of(relative_key(item.key, prefix)) is not None:
            kept.append(item)
        else:
            detail = "It lies in no folder to take its class from."
            refused.append(Outcome(item.key, Status.REJECTED, Reason.NO_LABEL, detail))
    return Sifted(kept, refused)
