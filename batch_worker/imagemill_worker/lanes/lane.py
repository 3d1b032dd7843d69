"""A lane: the child process that reads, decodes, resizes, encodes and writes, one vCPU's worth.

Many threads wait for the store, one at a time computes. A lane may die of a picture; its
supervisor then knows of which. Started by `supervise`, never by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from dataclasses import asdict, astuple, dataclass, field

from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_worker import stores
from imagemill_worker.body import Body
from imagemill_worker.errors import AloneError, PictureError, StoreRefusedError, TryAgainError
from imagemill_worker.lanes.byte_budget import ByteBudget
from imagemill_worker.lanes.lane_io import (
    FileSource,
    Sink,
    Source,
    SpoolSink,
    StoreSink,
    StoreSource,
)
from imagemill_worker.lanes.process_limits import limit_this_process
from imagemill_worker.lanes.shared_memory import DangerNote, WorkQueue
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.picture import stages
from imagemill_worker.spool import SpoolWriter

# Bodies that a lane holds at once; one object of any size is always let in.
_BYTES_IN_FLIGHT = 96 << 20
_SECONDS_BETWEEN_REPORTS = 0.1
_STACK_BYTES = 1 << 20


@dataclass(slots=True)
class Lane:
    """What the threads of a lane share.

    Attributes:
        alone: Whether one picture is done at a time, with all the memory that a picture may have.
    """

    stage: Stage
    recipe: Recipe
    source: Source
    sink: Sink
    tasks: list[Task]
    queue: WorkQueue
    danger: DangerNote
    reports: int
    alone: bool
    stopping: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None
    _compute: threading.Lock = field(default_factory=threading.Lock)
    _report_lock: threading.Lock = field(default_factory=threading.Lock)
    _unsent: list[dict[str, object]] = field(default_factory=list)
    _sent_at: float = 0.0
    _budget: ByteBudget = field(default_factory=lambda: ByteBudget(_BYTES_IN_FLIGHT))

    def run(self, threads: int) -> None:
        """Work until the queue is empty. Raises what stopped the lane before."""
        threading.stack_size(_STACK_BYTES)
        workers = [threading.Thread(target=self._work) for _ in range(1 if self.alone else threads)]
        with self._compute:
            for worker in workers:
                worker.start()
            stages.import_libraries(self.stage)  # while the first objects are on their way
        for worker in workers:
            worker.join()
        self._report()
        if self.fault is not None:
            raise self.fault

    def _work(self) -> None:
        try:
            while not self.stopping.is_set() and (index := self.queue.take()) is not None:
                self._report(self._row(index))
        except BaseException as fault:  # noqa: BLE001 # given to `run`, which raises it
            self.fault = self.fault or fault
            self.stopping.set()

    def _row(self, index: int) -> dict[str, object]:
        """What the supervisor is told of a task: its outcome, or that it must be done alone."""
        task = self.tasks[index]
        try:
            return {"index": index, **self._written(index, task)}
        except AloneError:
            return {"index": index, "alone": True}
        except PictureError as error:
            outcome = Outcome(task.key, error.status, error.reason, error.detail)
            return {"index": index, "row": outcome.to_row()}

    def _written(self, index: int, task: Task) -> dict[str, object]:
        with self._budget.of(task.read.bytes):
            body = self.source.read(task)
            product = self._product(index, body)
            del body
        spooled = self.sink.write(task, product.body)
        outcome = Outcome(
            task.key,
            Status.WRITTEN,
            output_key=task.output_key or None,
            output_bytes=len(product.body),
            width=product.width,
            height=product.height,
            sha256=hashlib.sha256(product.body).hexdigest() if spooled else "",
        )
        if not spooled:
            return {"row": outcome.to_row()}
        return {"row": outcome.to_row(), "at": spooled, "pixels": astuple(product.pixels)}

    def _product(self, index: int, body: Body) -> stages.Product:
        with self._compute:
            self.danger.enter(index)
            try:
                return stages.product_of(self.stage, body, self.recipe, alone=self.alone)
            except MemoryError as error:
                if not self.alone:
                    raise AloneError from error
                raise PictureError(Reason.TOO_MANY_PIXELS, stages.NEEDS_TOO_MUCH_MEMORY) from error
            except (PictureError, AloneError):
                raise
            except Exception as error:
                # Whatever else a file provokes must not cost its neighbours.
                traceback.print_exc()
                detail = f"The decoder failed in an unknown way: {type(error).__name__}."
                raise PictureError(Reason.DECODER_CRASHED, detail) from error
            finally:
                self.danger.clear()

    def _report(self, row: dict[str, object] | None = None) -> None:
        """Tell the supervisor now and then; at once when there is nothing to add."""
        with self._report_lock:
            if row is not None:
                self._unsent.append(row)
                if not self.alone and time.monotonic() - self._sent_at < _SECONDS_BETWEEN_REPORTS:
                    return
            if self._unsent:
                _send(self.reports, {"rows": self._unsent})
            self._unsent, self._sent_at = [], time.monotonic()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a lane is told on its standard input: one line of JSON."""

    stage: str
    reads: str
    writes: str
    recipe: dict[str, object]
    threads: int
    alone: bool
    tasks: list[tuple[str, str, str, int, str, int]]

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Assignment:
        return cls(**json.loads(line))


def main() -> int:
    """The lane's process. Returns its exit code: 0, or 1 after a fault that it reported."""
    queue, danger, reports, spool, intermediate = map(int, sys.argv[1:6])
    assignment = Assignment.decode(_first_line_of_input())
    limit_this_process()
    warnings.simplefilter("ignore")  # Pillow's remarks on files; what matters is in the outcomes
    threading.Thread(target=_die_with_supervisor, daemon=True).start()
    lane = Lane(
        stage=Stage(assignment.stage),
        recipe=Recipe.from_document(assignment.recipe),
        source=FileSource(intermediate)
        if intermediate >= 0
        else StoreSource(_store(assignment.reads)),
        sink=SpoolSink(SpoolWriter(spool)) if spool >= 0 else StoreSink(_store(assignment.writes)),
        tasks=[
            Task(key, SourceObject(name, etag, size), output_key, offset)
            for key, name, etag, size, output_key, offset in assignment.tasks
        ],
        queue=WorkQueue(queue),
        danger=DangerNote(danger),
        reports=reports,
        alone=assignment.alone,
    )
    signal.signal(signal.SIGTERM, lambda *_: lane.stopping.set())
    try:
        lane.run(assignment.threads)
    except (TryAgainError, StoreRefusedError, MemoryError) as error:
        _send(reports, {"fault": type(error).__name__, "detail": str(error)})
        return 1
    except BaseException:
        _send(reports, {"fault": "bug", "detail": traceback.format_exc()})
        raise
    return 0


def _store(address: str) -> stores.Store:
    return stores.open_store(Location.parse(address, "store"))


def _first_line_of_input() -> bytes:
    """Read past Python's buffers, which a waiting thread would hold when the process ends."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(sys.stdin.fileno(), 1 << 20)
        if not data:
            os._exit(1)
        line += data
    return line


def _die_with_supervisor() -> None:
    """Its end of the pipe closes however it ends."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _send(file_descriptor: int, message: dict[str, object]) -> None:
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    while data:
        data = data[os.write(file_descriptor, data) :]


if __name__ == "__main__":
    code = main()
    os._exit(code)  # everything is written: no need to take the libraries apart
