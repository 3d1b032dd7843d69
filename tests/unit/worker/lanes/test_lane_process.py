"""A lane as its supervisor sees it."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker.lanes.lane_process import LaneProcess
from imagemill_worker.lanes.messages import Assignment, Ended
from imagemill_worker.lanes.shared_memory import WorkQueue
from imagemill_worker.lanes.tasks import Task, resize_tasks
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg
from tests.helpers.waiting import PATIENCE_SECONDS

COUNT = 5


@pytest.fixture
def assignment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    folder = Folder(tmp_path)
    for number in range(COUNT):
        folder.put(f"{number}.jpg", jpeg(96, 64))
    shard = folder.plan(size=16)
    tasks = [task for task in resize_tasks(shard) if isinstance(task, Task)]
    document = shard.recipe.to_document()
    return Assignment(
        str(Stage.RESIZE), str(shard.source), str(shard.output), document, 2, tasks, alone=True
    )


@pytest.fixture
def queue() -> Iterator[WorkQueue]:
    queue = WorkQueue.of(range(COUNT))
    yield queue
    queue.close()


def ends(lane: LaneProcess) -> list[Ended]:
    """All ends of tasks that a lane reports until it has ended itself."""
    found: list[Ended] = []
    while True:
        assert select.select([lane.reports], [], [], PATIENCE_SECONDS)[0]
        reports = lane.new_reports()
        if reports is None:
            return found
        found += [ended for report in reports for ended in report.ended]


def test_lane_reports_each_of_its_tasks_once_and_ends(
    assignment: Assignment, queue: WorkQueue
) -> None:
    lane = LaneProcess.start(assignment, queue, None, None)
    born = lane.heard_at
    found = ends(lane)
    assert sorted(ended.index for ended in found) == list(range(COUNT))
    for ended in found:
        assert isinstance(ended.outcome, Outcome)
        assert ended.outcome.status is Status.WRITTEN
    assert lane.process.wait(PATIENCE_SECONDS) == 0
    assert not lane.is_alive()
    assert lane.danger.read() is None
    assert lane.heard_at > born
    lane.close()


def test_what_a_lane_had_said_is_heard_after_its_end(
    assignment: Assignment, queue: WorkQueue
) -> None:
    lane = LaneProcess.start(assignment, queue, None, None)
    lane.process.wait(PATIENCE_SECONDS)
    found = [ended.index for report in lane.last_reports() for ended in report.ended]
    assert sorted(found) == list(range(COUNT))
    lane.close()


def test_closed_lane_is_gone_whatever_it_was_doing(
    assignment: Assignment, queue: WorkQueue
) -> None:
    lane = LaneProcess.start(assignment, queue, None, None)
    os.kill(lane.process.pid, signal.SIGSTOP)
    assert lane.is_alive()
    reports = lane.reports
    lane.close()
    assert lane.process.returncode == -signal.SIGKILL
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reports)


ENDLESS = """
import time
from imagemill_worker.lanes.lane import Lane
def endless(self):
    self.report(None, "at work")
    time.sleep(36_000)
Lane.run = endless
"""


def test_lane_ends_with_its_supervisor(
    assignment: Assignment, queue: WorkQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The supervisor's end of its input closes, however the supervisor ends."""
    (tmp_path / "sitecustomize.py").write_text(ENDLESS)
    monkeypatch.syspath_prepend(str(tmp_path))
    lane = LaneProcess.start(assignment, queue, None, None)
    assert select.select([lane.reports], [], [], PATIENCE_SECONDS)[0]
    assert [report.detail for report in lane.new_reports() or ()] == ["at work"]
    assert lane.is_alive()
    lane.started.link.close()
    assert lane.process.wait(PATIENCE_SECONDS) == 1
    lane.close()


DEAF_MAIN_THREAD = """
import signal, sys, threading, time
from imagemill_worker.lanes.lane import Lane
run, main = Lane.run, threading.main_thread().ident
def masked_run(self):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    run(self)
def work(self):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    while sys._current_frames()[main].f_code.co_name not in ("join", "_wait_for_tstate_lock"):
        time.sleep(0.01)
    self.report(None, "at work")
    while not self.stopping.is_set():
        time.sleep(0.01)
Lane.run, Lane._work = masked_run, work
"""


def test_lane_stops_when_it_is_told_whichever_thread_the_signal_comes_to(
    assignment: Assignment, queue: WorkQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Linux gives a signal to another thread than the main one where that has one to handle."""
    (tmp_path / "sitecustomize.py").write_text(DEAF_MAIN_THREAD)
    monkeypatch.syspath_prepend(str(tmp_path))
    lane = LaneProcess.start(assignment, queue, None, None)
    assert select.select([lane.reports], [], [], PATIENCE_SECONDS)[0]
    lane.process.terminate()
    assert lane.process.wait(PATIENCE_SECONDS) == 0
    lane.close()
