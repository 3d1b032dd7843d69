"""The job of the model stage: batches of a shard's resized pictures through a network.

Batches are cut in the shard's order from the pictures that were resized, whatever comes of them, so
that a picture always has the same neighbours, and another attempt writes the same bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imagemill_contract.network.scores import indexed_scores
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import ModelOutput
from imagemill_contract.recipe_parts.given import Scores
from imagemill_worker.errors import PictureError, TryAgainError
from imagemill_worker.lanes.lane_io import Sink, Source
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.model.keeping import Keeping
from imagemill_worker.model.network import Network
from imagemill_worker.model.products import picture_file, scores_file, scores_of, vector_file
from imagemill_worker.model.tensors import batch_of, decoded
from imagemill_worker.progress import Progress

# Batches whose pictures are on their way, or in memory, while the network has another one.
_BATCHES_AHEAD = 2

_Decoded = NDArray[np.uint8]
_Batch = Sequence[tuple[int, Task]]


@dataclass(slots=True)
class ModelJob:
    """One attempt.

    Attributes:
        source: Has the resized pictures.
        sink: Takes the results.
        rows: A task for each picture that was resized, and outcomes of the other objects.
        threads: Pictures that are read, decoded, encoded or written at once.
        progress: Counts what becomes of the objects.
        spooled: Where results begin in the sink's spool, by place in the shard; if it has one.
        stopping: Set from outside when the attempt must end.
    """

    source: Source
    sink: Sink
    network: Network
    keeping: Keeping
    rows: Sequence[Task | Outcome]
    threads: int
    progress: Progress
    stopping: threading.Event
    spooled: dict[int, int] = field(default_factory=dict)
    _outcomes: dict[int, Outcome] = field(default_factory=dict)

    def run(self) -> list[Outcome]:
        """Write a result for each picture; the outcomes of all objects, in the shard's order.

        Raises:
            ModelError: The network does not take such pictures, or gives something else.
            TryAgainError: The store cannot be reached, the network failed, or `stopping` is set.
            StoreRefusedError: The job may not write there.
        """
        cv2.setNumThreads(1)  # a picture is small: the threads are here
        for place, row in enumerate(self.rows):
            if isinstance(row, Outcome):
                self._settle(place, row, 0)
        with ThreadPoolExecutor(self.threads, "model") as pool:
            try:
                self._run_batches(pool)
            finally:
                pool.shutdown(cancel_futures=True)
        return [self._outcomes[place] for place in range(len(self.rows))]

    def _run_batches(self, pool: ThreadPoolExecutor) -> None:
        batches = iter(self._batches())
        ahead: deque[tuple[_Batch, list[Future[_Decoded | Outcome]]]] = deque()
        written: list[tuple[int, Future[Outcome]]] = []
        while True:
            while len(ahead) < _BATCHES_AHEAD and (batch := next(batches, None)):
                ahead.append((batch, [pool.submit(self._picture, task) for _, task in batch]))
            if not ahead:
                break
            batch, coming = ahead.popleft()
            found = [future.result() for future in coming]
            results = self._results(found)
            self._take(written)
            written = list(self._written(pool, batch, found, results))
        self._take(written)

    def _batches(self) -> Iterator[_Batch]:
        tasks = [(place, row) for place, row in enumerate(self.rows) if isinstance(row, Task)]
        size = self.network.use.shape.batch
        for start in range(0, len(tasks), size):
            yield tasks[start : start + size]

    def _picture(self, task: Task) -> _Decoded | Outcome:
        """The pixels of a picture, or why there are none."""
        if self.stopping.is_set():
            raise TryAgainError("The job was told to stop.")
        try:
            body = self.source.read(task)
            return decoded(body, self.network.use.shape, self.network.use.preprocessing)
        except PictureError as error:
            return Outcome(task.key, error.status, error.reason, error.detail)

    def _results(self, found: Sequence[_Decoded | Outcome]) -> NDArray[Any]:
        """What the network gives for a batch; for a picture that is not there, nothing of use."""
        network, use = self.network, self.network.use
        pictures = [None if isinstance(item, Outcome) else item for item in found]
        return network.run(batch_of(pictures, use.shape, use.preprocessing))

    def _written(
        self,
        pool: ThreadPoolExecutor,
        batch: _Batch,
        found: Sequence[_Decoded | Outcome],
        results: NDArray[Any],
    ) -> Iterator[tuple[int, Future[Outcome]]]:
        """Begin to write the results of a batch."""
        for (place, task), item, result in zip(batch, found, results, strict=False):
            if isinstance(item, Outcome):
                self._settle(place, item, 0)
            else:
                yield place, pool.submit(self._outcome, place, task, result)

    def _outcome(self, place: int, task: Task, result: NDArray[Any]) -> Outcome:
        scores: Scores | None = None
        try:
            if self.network.use.kind is ModelOutput.SCORES:
                said = scores_of(np.atleast_1d(result), self.network.use.labels)
                scores = indexed_scores(said)  # also of a picture that is not kept
                self.keeping.check(said)
                body = scores_file(said)
            else:
                body = self._file(result)
            put = self.sink.write(task, body)
        except PictureError as error:
            found = Outcome(task.key, error.status, error.reason, error.detail)
            return found._replace(scores=scores)
        if put.offset is not None:
            self.spooled[place] = put.offset
        return Outcome(
            task.key,
            Status.WRITTEN,
            output_key=task.output_key or None,
            output_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            etag=put.etag,
            scores=scores,
        )

    def _file(self, result: NDArray[Any]) -> bytes:
        if self.network.use.kind is ModelOutput.VECTOR:
            return vector_file(result)
        return picture_file(result, self.network.use.preprocessing.output_range)

    def _take(self, written: Sequence[tuple[int, Future[Outcome]]]) -> None:
        for place, future in written:
            row = self.rows[place]
            self._settle(place, future.result(), row.read.bytes if isinstance(row, Task) else 0)
        self.progress.log_now_and_then()

    def _settle(self, place: int, outcome: Outcome, read_bytes: int) -> None:
        self._outcomes[place] = outcome
        self.progress.add(outcome, read_bytes)
