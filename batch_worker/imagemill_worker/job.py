"""A job: what is to be done for the objects of a shard, read from the documents of its run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeVar

from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_outcomes
from imagemill_contract.errors import ContractError, DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.journal import Journal
from imagemill_worker.lanes.tasks import Task, check_rows, later_tasks, resize_tasks
from imagemill_worker.spool import Spooled, temporary_file
from imagemill_worker.stores.opening import open_store, patience_seconds
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather

_READS_OF_TORN = 4
_THREADS_OF_FOLDERS = 8  # enough for a network drive that takes 50 ms for a file

Document = TypeVar("Document")


@dataclass(frozen=True, slots=True)
class Given:
    """What a model has given for the objects of a shard, in its order.

    Attributes:
        file: Has its files.
        outcomes: Those of the model stage.
        offsets: Where each file begins; 0 without one.
    """

    file: BinaryIO
    outcomes: Sequence[Outcome]
    offsets: Sequence[int]

    def files(self) -> dict[int, Spooled]:
        """The files, by place in the shard. Raises TryAgainError if one came damaged."""
        found = {}
        for place, (row, offset) in enumerate(zip(self.outcomes, self.offsets, strict=True)):
            if row.status is Status.WRITTEN:
                found[place] = Spooled(self.file.fileno(), offset, row.output_bytes)
                if hashlib.sha256(found[place].read()).hexdigest() != row.sha256:
                    raise TryAgainError(f"What the model gave for {row.key!r} came damaged.")
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, one row for each object of the shard, in its order.

    Attributes:
        reads: Where the stage reads its pictures.
        output: The store of results and outcomes.
        rows: Tasks, and the outcomes of objects that need nothing more.
        journal: What earlier attempts have done, and where this one notes what it does.
        resize_outcomes: Outcomes of the stage before; empty for the first stage.
        intermediate: The pictures of the intermediate shard, if the stage reads one.
        given: What a model has given, if it is packed.
    """

    stage: Stage
    shard: Shard
    reads: Location
    output: Store
    rows: Sequence[Task | Outcome]
    journal: Journal
    resize_outcomes: Sequence[Outcome] = ()
    intermediate: BinaryIO | None = None
    given: Given | None = None

    @property
    def names(self) -> dict[str, object]:
        """The fields that every log line and document of the job has."""
        return {
            "run_id": self.shard.run_id,
            "stage": str(self.stage),
            "shard_id": self.shard.shard_id,
        }

    def threads(self, most: int) -> int:
        """Objects in flight per lane: threads that need not wait fight for the interpreter."""
        if self.intermediate is not None:  # a local file keeps nobody waiting
            return 1
        return min(most, _THREADS_OF_FOLDERS) if self.reads.is_file else most


def open_job(stage: Stage, address: str) -> Job:
    """Read the documents of a job.

    Raises:
        ArgumentsError: They are missing or wrong.
        TryAgainError: The store cannot be reached.
        StoreRefusedError: The job may not read them.
    """
    try:
        location, key = split_object_address(address, "--shard")
        weather = Weather(most_at_once=2, patience_seconds=patience_seconds())  # journal and pieces
        documents = open_store(location, weather=weather)
        shard = _decoded(documents, key, "shard", Shard.decode)
        if stage not in keys.stages_of(shard.recipe):
            raise ArgumentsError(f"The recipe has no stage {stage}.")
        open_store(shard.source)  # raises when it cannot be; lanes open it, too
        output = open_store(shard.output, create=True, weather=weather)
        journal = Journal.read(output, shard, stage)
        if stage is Stage.RESIZE:
            rows = _without_done(resize_tasks(shard), journal)
            return Job(stage, shard, shard.source, output, rows, journal)
        return _later_job(stage, shard, output, journal)
    except ContractError as error:
        raise ArgumentsError(str(error)) from error


def _later_job(stage: Stage, shard: Shard, output: Store, journal: Journal) -> Job:
    """The job of a stage that reads resized pictures."""
    before = {
        earlier: _outcomes_of(earlier, shard, output)
        for earlier in keys.stages_before(stage, shard.recipe)
    }
    if not shard.recipe.is_packed:
        rows = _without_done(later_tasks(stage, shard, before), journal)
        return Job(stage, shard, shard.output, output, rows, journal)
    from imagemill_worker.dataset.intermediate import fetch_intermediate  # of packed jobs alone

    file = temporary_file()
    resized = before[Stage.RESIZE]
    check_rows(shard, resized)
    offsets = fetch_intermediate(output, resized, file)
    tasks = later_tasks(stage, shard, before, offsets)
    job = Job(stage, shard, shard.output, output, tasks, journal, resized, file)
    if outcomes := before.get(Stage.MODEL):
        given = temporary_file()
        places = fetch_intermediate(output, outcomes, given)
        starts = [place[0] if place else 0 for place in places]
        return replace(job, given=Given(given, outcomes, starts))
    return job


def _outcomes_of(stage: Stage, shard: Shard, output: Store) -> list[Outcome]:
    name = shard.output.prefix + keys.outcome_key(shard.run_id, stage, shard.shard_id)
    _, outcomes = _decoded(output, name, f"{stage} outcome", decode_outcomes)
    return outcomes


def _decoded(store: Store, key: str, what: str, decode: Callable[[bytes], Document]) -> Document:
    """A document; one that comes torn, or with a wrong bit, is read again."""
    for _ in range(_READS_OF_TORN - 1):
        with suppress(DocumentError):
            return decode(store.read_document(key, what))
    return decode(store.read_document(key, what))


def _without_done(rows: Sequence[Task | Outcome], journal: Journal) -> list[Task | Outcome]:
    """The rows, with each task that an earlier attempt has done replaced by its outcome."""
    return [journal.rows.get(row.key, row) if isinstance(row, Task) else row for row in rows]
