"""What a lane makes of each of its tasks, whatever a picture provokes in the decoder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker.errors import AloneError, StoreRefusedError
from imagemill_worker.lanes.lane import Lane
from imagemill_worker.lanes.messages import Assignment, Ended, Report, SharedFiles
from imagemill_worker.lanes.shared_memory import CurrentPictureNote, WorkQueue
from imagemill_worker.lanes.tasks import Task, resize_tasks
from imagemill_worker.spool import temporary_file
from imagemill_worker.stages import picture_stages
from imagemill_worker.stages.picture_stage import Picture, Product
from imagemill_worker.stores.store import Store
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg

COUNT = 6


class LaneHere:
    """A lane in this process, over a folder of pictures."""

    def __init__(self, folder: Folder) -> None:
        for number in range(COUNT):
            folder.put(f"{number}.jpg", jpeg(96, 64 + number))
        self.folder = folder
        self.danger = CurrentPictureNote()

    def run(self, *, alone: bool = False, spool: int | None = None) -> list[Report]:
        """All reports of a lane that takes every task."""
        shard = self.folder.plan(size=16)
        tasks = [task for task in resize_tasks(shard) if isinstance(task, Task)]
        places = str(shard.source), str(shard.output)
        recipe = shard.recipe.to_document()
        assignment = Assignment(str(Stage.RESIZE), *places, recipe, 3, tasks, alone)
        queue, (read_end, write_end) = WorkQueue.of(range(COUNT)), os.pipe()
        files = SharedFiles(queue.file_descriptor, self.danger.file_descriptor, write_end, spool)
        try:
            Lane(assignment, files).run()
        finally:
            os.close(write_end)
            queue.close()
            with os.fdopen(read_end, "rb") as reports:
                self.reports = [Report.decode(line) for line in reports]
        return self.reports

    def ends(self, *, alone: bool = False) -> dict[int, Ended]:
        found = [ended for report in self.run(alone=alone) for ended in report.ended]
        assert len({ended.index for ended in found}) == len(found)
        return {ended.index: ended for ended in found}


@pytest.fixture
def lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneHere]:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    here = LaneHere(Folder(tmp_path))
    stack_bytes = threading.stack_size()
    yield here
    threading.stack_size(stack_bytes)
    here.danger.close()


Decode = Callable[..., list[Product]]


@pytest.fixture
def third_raises(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let the decoder raise an error for the third picture."""
    products_of: Decode = picture_stages.products_of

    def with_error(error: BaseException) -> None:
        def raising(
            stage: Stage, pictures: Sequence[Picture], *arguments: object, **options: object
        ) -> object:
            if bytes(pictures[0].body) == jpeg(96, 66):
                raise error
            return products_of(stage, pictures, *arguments, **options)

        monkeypatch.setattr(picture_stages, "products_of", raising)

    return with_error


def test_each_task_ends_once_with_what_was_written(lane: LaneHere) -> None:
    ends = lane.ends()
    assert sorted(ends) == list(range(COUNT))
    for index, ended in ends.items():
        assert ended.outcome is not None
        assert (ended.outcome.key, ended.outcome.status) == (f"{index}.jpg", Status.WRITTEN)
        path = lane.folder.output / str(ended.outcome.output_key)
        assert path.stat().st_size == ended.outcome.output_bytes
    assert lane.danger.read() is None


def test_products_that_are_packed_later_are_told_with_their_places(lane: LaneHere) -> None:
    with temporary_file() as spool:
        reports = lane.run(spool=spool.fileno())
        ends = [ended for report in reports for ended in report.ended]
        places = sorted((e.product.offset, e.product.length) for e in ends if e.product)
        assert len(places) == COUNT
        assert [offset for offset, _ in places] == [
            sum(length for _, length in places[:number]) for number in range(COUNT)
        ]
    assert not (lane.folder.output / "resized").exists()


def test_unknown_error_of_the_decoder_costs_its_picture_alone(
    lane: LaneHere,
    third_raises: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    third_raises(ZeroDivisionError("in the depths"))
    ends = lane.ends()
    outcome = ends.pop(2).outcome
    assert outcome == Outcome(
        "2.jpg",
        Status.REJECTED,
        Reason.DECODER_CRASHED,
        "The decoder raised an unexpected error: ZeroDivisionError.",
    )
    assert {ended.outcome.status for ended in ends.values() if ended.outcome} == {Status.WRITTEN}
    assert "in the depths" in capsys.readouterr().err
    assert lane.danger.read() is None


@pytest.mark.parametrize("error", [AloneError(), MemoryError()])
def test_picture_that_needs_much_memory_is_left_for_a_lane_that_does_it_alone(
    lane: LaneHere, third_raises: Callable[[BaseException], None], error: BaseException
) -> None:
    third_raises(error)
    ends = lane.ends()
    assert ends.pop(2).outcome is None
    assert all(ended.outcome for ended in ends.values())


def test_picture_that_needs_too_much_memory_even_alone_is_rejected(
    lane: LaneHere, third_raises: Callable[[BaseException], None]
) -> None:
    third_raises(MemoryError())
    outcome = lane.ends(alone=True)[2].outcome
    assert outcome is not None
    assert (outcome.status, outcome.reason) == (Status.REJECTED, Reason.TOO_MANY_PIXELS)


def test_lane_that_does_one_at_a_time_tells_of_each_at_once(lane: LaneHere) -> None:
    reports = lane.run(alone=True)
    assert [[ended.index for ended in report.ended] for report in reports if report.ended] == [
        [number] for number in range(COUNT)
    ]


def test_what_stops_the_job_stops_the_lane_and_is_raised(
    lane: LaneHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> str:
        raise StoreRefusedError("The job may not write.")

    monkeypatch.setattr(Store, "write_object", refused)
    with pytest.raises(StoreRefusedError, match="may not write"):
        lane.run()
    assert [ended for report in lane.reports for ended in report.ended] == []
