"""Groups of pictures for which a model has given vectors that are near each other.

Vectors are read where they are: in a file for each picture, or in dataset shards. They wait in a
temporary file, so that no more of them are in memory than are compared.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

import numpy as np

from imagemill_contract.keys import Stage, output_key
from imagemill_contract.recipe import ModelOutput, Recipe
from imagemill_contract.recipe_parts.given import VECTOR
from imagemill_dataset.index import Entry
from imagemill_dataset.stored_index import StoredIndex
from imagemill_worker.dataset.alike.cosine import Vectors, leaders
from imagemill_worker.dataset.alike.shard_samples import samples_at
from imagemill_worker.dataset.formats.vector_file import vector_in
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.spool import temporary_file

THREADS, _READ_AT_ONCE = 16, 1024
_RECIPE = Recipe(model_output=ModelOutput.VECTOR)  # by which files of vectors are called

_Place = tuple[str, int]  # of a picture: what gave its vector, and the row of the index


@dataclass(slots=True)
class _Waiting:
    """Vectors of one model, one after the other in a file, and of which rows of the index."""

    file: BinaryIO
    rows: array[int] = field(default_factory=lambda: array("Q"))
    size: int = 0

    def add(self, row: int, vector: Vectors) -> None:
        """Raises ArgumentsError for a vector of another length."""
        self.size = self.size or len(vector)
        if len(vector) != self.size:
            raise ArgumentsError(f"Of one model some vectors have {self.size} numbers, others not.")
        self.file.write(vector.tobytes())
        self.rows.append(row)

    def vectors(self) -> Vectors:
        self.file.flush()
        return np.memmap(self.file, np.float16, "r", shape=(len(self.rows), self.size))


def groups_by_vectors(
    dataset: DatasetStore, index: StoredIndex, distance: float, stopping: threading.Event
) -> tuple[dict[int, tuple[str, int]], int, int]:
    """The group of each row of the index that is linked with another.

    Behind it, how many pictures were compared, and how many have no vector that could be. Those of
    different models, or of one that was used in different ways, are not compared with each other.

    Raises:
        ArgumentsError: There are no vectors, or what holds some is damaged.
        TryAgainError: The store cannot be reached, or `stopping` is set.
    """
    group_of_row: dict[int, tuple[str, int]] = {}
    with ExitStack() as files:
        givers: dict[str, _Waiting] = defaultdict(
            lambda: _Waiting(files.enter_context(temporary_file()))
        )
        done = 0
        for (giver, row), vector in _read(dataset, index, stopping):
            if vector.any():  # nothing is near one without a direction
                givers[giver].add(row, vector)
        for giver, waiting in sorted(givers.items()):
            found = leaders(waiting.vectors(), distance, stopping)
            members = np.flatnonzero(np.bincount(found)[found] > 1)
            group_of_row |= {
                waiting.rows[place]: (giver, int(found[place])) for place in members.tolist()
            }
            done += len(found)
    if not done:
        raise ArgumentsError(
            f"There are no vectors at {dataset.output}. They come of a run with a model, and "
            "model_output=vector."
        )
    whole = sum(entry.reason is None for _, entry in index.rows())
    return group_of_row, done, whole - done


def _read(
    dataset: DatasetStore, index: StoredIndex, stopping: threading.Event
) -> Iterator[tuple[_Place, Vectors]]:
    packed: dict[str, dict[int, _Place]] = defaultdict(dict)
    yield from _of_files(dataset, index, packed, stopping)
    for key, places in sorted(packed.items()):
        for position, sample in samples_at(dataset, key, places, stopping):
            body = sample.columns.get(VECTOR)
            if isinstance(body, bytes):
                yield places[position], _vector(body, key)


def _of_files(
    dataset: DatasetStore,
    index: StoredIndex,
    packed: dict[str, dict[int, _Place]],
    stopping: threading.Event,
) -> Iterator[tuple[_Place, Vectors]]:
    """Vectors in files of their own; where others lie is noted in `packed`, shard by shard."""
    with ThreadPoolExecutor(THREADS) as pool:
        rows = iter(_with_vectors(index))
        while some := list(islice(rows, _READ_AT_ONCE)):
            if stopping.is_set():
                raise TryAgainError("The command was told to stop.")
            for _, entry, place in some:
                if entry.place:
                    packed[entry.place.shard][entry.place.position] = place
            files = [(name, place) for name, entry, place in some if not entry.place]
            read = pool.map(lambda item: _of_file(dataset, item[0]), files)
            for (_, place), vector in zip(files, read, strict=True):
                if vector is not None:
                    yield place, vector


def _with_vectors(index: StoredIndex) -> Iterator[tuple[str, Entry, _Place]]:
    """Rows for which a model has given a vector."""
    for row, (name, entry) in enumerate(index.rows()):
        recipe = entry.run.recipe
        is_vector = recipe.get("model_output", ModelOutput.VECTOR) == ModelOutput.VECTOR
        if entry.reason is None and recipe.get("model") and is_vector:
            yield name, entry, (_giver(recipe), row)


def _giver(recipe: Mapping[str, Any]) -> str:
    """The model, and how it was used: other inputs or another output give other vectors."""
    use = json.dumps(recipe.get("model_preprocessing", {}), sort_keys=True)
    return f"{recipe.get('model_sha256', '')} {use}"


def _of_file(dataset: DatasetStore, name: str) -> Vectors | None:
    """None if somebody has removed it."""
    key = output_key(Stage.MODEL, name, _RECIPE)
    body = dataset.store.find_document(dataset.output.prefix + key)
    return None if body is None else _vector(body, key)


def _vector(body: bytes, key: str) -> Vectors:
    try:
        return vector_in(body)
    except ValueError as error:
        raise ArgumentsError(f"{key} holds no vector: {error}.") from error
