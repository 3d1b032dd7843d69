"""A lane: the child process that reads, decodes, resizes, encodes and writes for one vCPU.

Many threads wait for the store, and one at a time computes. If a picture kills the lane, its
supervisor knows which one did. `__main__` is its process.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill_contract.keys import Stage, recipes_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason
from imagemill_contract.recipe import Recipe
from imagemill_worker.errors import AloneError, PictureError
from imagemill_worker.lanes.byte_budget import ByteBudget
from imagemill_worker.lanes.lane_io import (
    FileSource,
    Sink,
    Source,
    SpoolSink,
    StoreSink,
    StoreSource,
)
from imagemill_worker.lanes.messages import (
    Assignment,
    Ended,
    FaultName,
    Report,
    SharedFiles,
    Totals,
    send,
)
from imagemill_worker.lanes.shared_memory import CurrentPictureNote, WorkQueue
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.lanes.written import spooled_product, written_outcome
from imagemill_worker.spool import SpoolWriter
from imagemill_worker.stages import picture_stages
from imagemill_worker.stages.picture_stage import Picture, Product
from imagemill_worker.stores.opening import open_store, patience_seconds
from imagemill_worker.stores.source_md5 import SourceProof
from imagemill_worker.stores.weather import Weather

# Bytes of bodies that a lane holds at once. A single object may be larger.
_BYTES_IN_FLIGHT = 96 << 20
_SECONDS_BETWEEN_REPORTS = 0.1
_SECONDS_BETWEEN_SIGNS_OF_LIFE = 5.0
_SECONDS_BETWEEN_SIGNALS = 0.5
_STACK_BYTES = 1 << 20


@dataclass(slots=True)
class Lane:
    """What the threads of a lane share."""

    assignment: Assignment
    files: SharedFiles
    stopping: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None
    _weather: Weather = field(init=False)
    _proof: SourceProof = field(default_factory=SourceProof)
    _queue: WorkQueue = field(init=False)
    _danger: CurrentPictureNote = field(init=False)
    _recipes: Sequence[Recipe] = field(init=False)
    _source: Source = field(init=False)
    _sink: Sink = field(init=False)
    _compute: threading.Lock = field(default_factory=threading.Lock)
    _report_lock: threading.Lock = field(default_factory=threading.Lock)
    _unsent: list[Ended] = field(default_factory=list)
    _sent_at: float = 0.0
    _budget: ByteBudget = field(default_factory=lambda: ByteBudget(_BYTES_IN_FLIGHT))

    def __post_init__(self) -> None:
        self._weather = Weather(
            self.assignment.threads, patience_seconds(), self.stopping, self._show_life
        )
        self._queue = WorkQueue(self.files.queue)
        self._danger = CurrentPictureNote(self.files.danger)
        recipe = Recipe.from_document(self.assignment.recipe)
        self._recipes = recipes_of(Stage(self.assignment.stage), recipe)
        self._source = self._source_of()
        self._sink = self._sink_of()

    def run(self) -> None:
        """Work until the queue is empty. Raises what stopped the lane before that."""
        threading.stack_size(_STACK_BYTES)
        count = 1 if self.assignment.alone else self.assignment.threads
        workers = [threading.Thread(target=self._work) for _ in range(count)]
        with self._compute:
            for worker in workers:
                worker.start()
            # while the first objects are on their way
            picture_stages.import_libraries(Stage(self.assignment.stage))
        for worker in workers:
            while worker.is_alive():  # a signal that came to another thread would not end a join
                worker.join(_SECONDS_BETWEEN_SIGNALS)
        self.report()
        if self.fault is not None:
            raise self.fault

    def _source_of(self) -> Source:
        if self.files.intermediate is not None:
            return FileSource(self.files.intermediate)
        location = Location.parse(self.assignment.reads, "reads")
        proof = self._proof if self.assignment.verify_source else None
        return StoreSource(open_store(location, weather=self._weather), proof)

    def _sink_of(self) -> Sink:
        if self.files.spool is not None:
            return SpoolSink(SpoolWriter(self.files.spool))
        location = Location.parse(self.assignment.writes, "writes")
        return StoreSink(open_store(location, weather=self._weather))

    def _work(self) -> None:
        try:
            while not self.stopping.is_set() and (index := self._queue.take()) is not None:
                self._tell(self._ended(index, self.assignment.tasks[index]))
        except BaseException as fault:  # noqa: BLE001 # given to `run`, which raises it
            self.fault = self.fault or fault
            self.stopping.set()

    def _ended(self, index: int, task: Task) -> Ended:
        try:
            return self._written(index, task)
        except AloneError:
            return Ended(index, None)
        except PictureError as error:
            return Ended(index, Outcome(task.key, error.status, error.reason, error.detail))

    def _written(self, index: int, task: Task) -> Ended:
        stage = Stage(self.assignment.stage)
        reads = (task,) if stage is Stage.RESIZE else task.sizes  # all sizes of one file
        with self._budget.of(sum(of_size.read.bytes for of_size in reads)):
            pictures = [Picture(self._source.read(it), it.area) for it in reads]
            made = self._products(index, stage, pictures)
            del pictures
        pairs = zip(task.sizes, made, strict=True)
        puts = [self._sink.write(of_size, product.body) for of_size, product in pairs]
        outcome = written_outcome(task, made, puts)
        return Ended(index, outcome, spooled_product(made, puts))

    def _products(self, index: int, stage: Stage, pictures: Sequence[Picture]) -> list[Product]:
        alone = self.assignment.alone
        with self._compute:
            self._danger.enter(index)
            try:
                return picture_stages.products_of(stage, pictures, self._recipes, alone=alone)
            except MemoryError as error:
                if not alone:
                    raise AloneError from error
                raise PictureError(
                    Reason.TOO_MANY_PIXELS, picture_stages.NEEDS_TOO_MUCH_MEMORY
                ) from error
            except (PictureError, AloneError):
                raise
            except Exception as error:
                # Whatever else a file provokes must not cost its neighbours.
                traceback.print_exc()
                detail = f"The decoder raised an unexpected error: {type(error).__name__}."
                raise PictureError(Reason.DECODER_CRASHED, detail) from error
            finally:
                self._danger.clear()

    def _tell(self, ended: Ended) -> None:
        """Report the end of a task with those of others, now and then."""
        with self._report_lock:
            self._unsent.append(ended)
            since = time.monotonic() - self._sent_at
            if since < _SECONDS_BETWEEN_REPORTS and not self.assignment.alone:
                return
        self.report()

    def _show_life(self) -> None:
        """A request has ended, whichever way: the lane is not stuck."""
        if time.monotonic() - self._sent_at >= _SECONDS_BETWEEN_SIGNS_OF_LIFE:
            self.report()

    def report(self, fault: FaultName | None = None, detail: str = "") -> None:
        """Tell the supervisor what has ended since the last report, and why the lane ends here."""
        with self._report_lock:
            ended, self._unsent, self._sent_at = self._unsent, [], time.monotonic()
            weather, proof = self._weather, self._proof
            counts = (weather.throttled, weather.waited_seconds, proof.proven, proof.unprovable)
            totals = Totals(*counts, weather.requests.so_far())
            report = Report(ended, totals, fault, detail)
            send(self.files.reports, report.encode())
