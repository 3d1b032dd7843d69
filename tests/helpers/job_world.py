"""A job with a store of its own, in memory: its attempts are the worker's code without lanes."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from functools import cache, partial
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_journal, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import ImageFormat, Recipe
from imagemill_worker.codecs.encode import encoded
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather
from tests.helpers.inline_lanes import AtOnce, InlineLanes
from tests.helpers.stepped_jobs import SteppedAttempt, SteppedObjects

NAMES = [f"{number}.jpg" for number in range(7)]
BAD, FLAKY = "3.jpg", ("1.jpg", "5.jpg")


@cache
def picture(stage: str, name: str) -> bytes:
    """Eight by six pixels, of the stage's format, no two alike."""
    shade = hashlib.sha256(f"{stage} {name}".encode()).digest()[0]
    pixels = np.full((6, 8, 3), shade, np.uint8)
    return encoded(pixels, ImageFormat.JPG if stage == Stage.RESIZE else ImageFormat.PNG, 90)


def in_pairs(sizes: list[int], _: int) -> list[tuple[int, int]]:
    """In the place of `even_pieces`: small dataset shards."""
    return [(first, min(first + 2, len(sizes))) for first in range(0, len(sizes), 2)]


class World:
    """A store, the only shard in it, and the worker's code with both and without lanes."""

    def __init__(self, output: Location, recipe: Recipe) -> None:
        self.is_stormy = self.refuses_pages = False
        self.objects = SteppedObjects(self._before)
        self.output = output
        source = Location("s3://source")
        objects = [SourceObject(name, "etag", 10) for name in NAMES]
        self.shard = Shard("run-1", "00000", source, output, recipe, objects)
        self.address = "s3://documents/shard.jsonl.gz"
        self._files = ExitStack()  # which the end of a process closes
        self._patches = pytest.MonkeyPatch()
        for module, name, value in (
            ("imagemill_worker.job", "open_store", self._store),
            ("imagemill_worker.job", "temporary_file", self._temporary_file),
            ("imagemill_worker.progress", "log", lambda *_: None),
            ("imagemill_worker.journal", "_LEAST_ROWS", 1),
            ("imagemill_worker.journal", "_SECONDS", 0.0),
            ("imagemill_worker.journal", "_SECONDS_IN_FOLDER", 0.0),
            ("imagemill_worker.dataset.intermediate", "_LEAST_PIECE_BYTES", 1),
            ("imagemill_worker.dataset.intermediate", "_SECONDS", 0.0),
            ("imagemill_worker.dataset.intermediate", "_SECONDS_IN_FOLDER", 0.0),
            ("imagemill_worker.dataset.intermediate", "ThreadPoolExecutor", AtOnce),
            ("imagemill_worker.dataset.pack", "even_pieces", in_pairs),
            ("imagemill_worker.attempt", "Supervisor", self._lanes()),
        ):
            self._patches.setattr(f"{module}.{name}", value)
        self.objects.bodies["shard.jsonl.gz"] = self.shard.encode()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._patches.undo()
        self._files.close()

    def run_quietly(self, stage: Stage) -> None:
        attempt = SteppedAttempt(stage, self.address)
        attempt.finish()
        assert attempt.error is None

    def outcomes(self, stage: Stage) -> list[Outcome] | None:
        """Rows of the outcome document, if it is there."""
        body = self.objects.bodies.get(self._key(keys.outcome_key("run-1", stage, "00000")))
        return None if body is None else decode_outcomes(body)[1]

    def pages(self, stage: Stage) -> list[list[Outcome]]:
        folder = self._key(keys.journal_folder("run-1", stage, "00000"))
        bodies = self.objects.bodies
        return [decode_journal(bodies[key])[1] for key in sorted(bodies) if key.startswith(folder)]

    def below(self, *folders: str) -> dict[str, bytes]:
        wanted = tuple(map(self._key, folders))
        return {key: body for key, body in self.objects.bodies.items() if key.startswith(wanted)}

    def _key(self, relative: str) -> str:
        return self.output.prefix + relative

    def _store(self, *_: object, **__: object) -> Store:
        return Store(self.objects, Weather())

    def _temporary_file(self) -> BinaryIO:
        return cast("BinaryIO", self._files.enter_context(TemporaryFile()))

    def _lanes(self) -> Any:
        return partial(InlineLanes, self._product_of, lambda key, body: self.objects.put(key, body))

    def _product_of(self, stage: str, task: Task) -> bytes | Outcome:
        if task.key == BAD:
            return Outcome(task.key, Status.REJECTED, Reason.CORRUPT, "It is broken.")
        # an edge job of a dataset reads no store for its pictures: none fails alone
        has_store = stage == Stage.RESIZE or not self.shard.recipe.is_packed
        if self.is_stormy and has_store and task.key in FLAKY:
            SteppedAttempt.current.attempt.has_failures = True
            return Outcome(task.key, Status.FAILED, Reason.STORE_ERROR, "It is the weather.")
        return picture(stage, task.key)

    def _before(self, request: str, key: str) -> None:
        attempt = getattr(SteppedAttempt.current, "attempt", None)
        if attempt is None:
            return
        attempt.pause()
        if request == "put" and "outcomes/" in key and attempt.has_failures:
            attempt.die()  # its rows are true, and not those of a quiet run
        if request == "put" and "journal/" in key and self.refuses_pages:
            raise StoreFault(FaultKind.PASSING, "SlowDown", "Not now.")
