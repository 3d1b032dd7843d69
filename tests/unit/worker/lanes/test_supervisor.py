"""Lanes that are stopped, stuck or done too early: the job ends all the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker.errors import LaneBugError, TryAgainError
from imagemill_worker.lanes import supervisor
from imagemill_worker.lanes.lane_process import LaneProcess
from imagemill_worker.lanes.messages import Assignment
from imagemill_worker.lanes.supervisor import Supervisor
from imagemill_worker.lanes.tasks import resize_tasks
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg

OUTCOMES = dict[int, Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    made = Folder(tmp_path)
    for number in range(30):
        made.put(f"{number:02}.jpg", jpeg(96, 64))
    return made


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> list[LaneProcess]:
    """All lanes that are started, in order."""
    started: list[LaneProcess] = []
    start = LaneProcess.start

    def start_and_remember(*arguments: Any) -> LaneProcess:
        started.append(start(*arguments))
        return started[-1]

    monkeypatch.setattr(LaneProcess, "start", start_and_remember)
    return started


def supervised(
    folder: Folder,
    on_tick: Callable[[], None] = lambda: None,
    stopping: threading.Event | None = None,
    threads: int = 4,
) -> OUTCOMES:
    """What becomes of the pictures of a folder, with two lanes."""
    shard = folder.plan(size=16)
    outcomes: OUTCOMES = {}

    def keep(index: int, outcome: Outcome, _spooled: object) -> None:
        assert index not in outcomes
        outcomes[index] = outcome

    tasks = [row for row in resize_tasks(shard) if not isinstance(row, Outcome)]
    assignment = Assignment(
        str(Stage.RESIZE),
        str(shard.source),
        str(shard.output),
        shard.recipe.to_document(),
        threads,
        tasks,
    )
    Supervisor(assignment, 2, keep, on_tick, stopping or threading.Event()).run()
    return outcomes


def are_all_written(outcomes: OUTCOMES) -> bool:
    return sorted(outcomes) == list(range(30)) and {row.status for row in outcomes.values()} == {
        Status.WRITTEN
    }


def test_a_lane_that_is_stopped_is_ended_and_its_work_done_again(
    folder: Folder, lanes: list[LaneProcess]
) -> None:
    stopped: list[LaneProcess] = []

    def stop_one() -> None:
        if not stopped:
            stopped.append(lanes[0])
            os.kill(lanes[0].process.pid, signal.SIGSTOP)
        lanes[0].heard_at -= 1000  # it has said nothing for as long as no lane may

    assert are_all_written(supervised(folder, stop_one))
    assert stopped[0].process.returncode == -signal.SIGKILL


def test_a_lane_that_is_killed_with_nothing_in_the_decoder_costs_no_picture(
    folder: Folder, lanes: list[LaneProcess]
) -> None:
    def kill_first() -> None:
        if len(lanes) == 2:
            lanes[0].process.kill()

    assert are_all_written(supervised(folder, kill_first))
    assert lanes[0].process.returncode == -signal.SIGKILL


def test_a_picture_that_killed_a_lane_long_ago_has_its_second_chance_all_the_same(
    folder: Folder, lanes: list[LaneProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for one that is still being decoded while other lanes go on."""
    folder.put("00.jpg", jpeg(96, 64) + b"DIES ONCE")
    for number in range(1, 30):
        folder.put(f"{number:02}.jpg", jpeg(96, 64) + b"WAITS")
    code = """
import os, pathlib, time
from imagemill_worker.codecs import file_kind
kind_of, folder = file_kind.kind_of, pathlib.Path(os.environ["GATE"])
def deadly(view):
    body = bytes(view)
    if body.endswith(b"DIES ONCE") and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(9)
    while body.endswith(b"WAITS") and not (folder / "go on").exists():
        time.sleep(0.01)
    return kind_of(view)
file_kind.kind_of = deadly
"""
    put_before_lanes(folder, monkeypatch, code)
    monkeypatch.setenv("GATE", str(folder.base))
    ticks_since = 0

    def let_go_later() -> None:
        nonlocal ticks_since
        dead = [lane for lane in lanes if not lane.is_alive()]
        if not dead or ticks_since > 4:
            return
        noted = dead[0].danger.read()
        assert noted is not None
        with monkeypatch.context() as patch:
            long_ago = time.monotonic() - 1000
            patch.setattr(time, "monotonic", lambda: long_ago)
            dead[0].danger.enter(noted[0])
        ticks_since += 1
        if ticks_since > 4:
            (folder.base / "go on").touch()

    assert are_all_written(supervised(folder, let_go_later, threads=1))


def test_lanes_that_do_not_stop_when_they_are_told_are_killed(
    folder: Folder, lanes: list[LaneProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import signal, time
from imagemill_worker.lanes.lane import Lane
def deaf(self):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    self.report(None, "deaf")
    time.sleep(3600)
Lane.run = deaf
"""
    put_before_lanes(folder, monkeypatch, code)
    monkeypatch.setattr(supervisor, "_SECONDS_TO_STOP", 0.2)
    stopping = threading.Event()

    def stop_when_all_are_deaf() -> None:
        if len(lanes) == 2 and all(lane.last.detail == "deaf" for lane in lanes):
            stopping.set()

    with pytest.raises(TryAgainError, match="told to stop"):
        supervised(folder, stop_when_all_are_deaf, stopping)
    assert [lane.process.returncode for lane in lanes] == [-signal.SIGKILL] * 2


def put_before_lanes(folder: Folder, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    (folder.base / "sitecustomize.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder.base))


def test_lanes_that_end_well_and_have_done_nothing_end_the_attempt(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from imagemill_worker.lanes.lane import Lane\nLane.run = lambda self: None\n"
    put_before_lanes(folder, monkeypatch, code)
    with pytest.raises(TryAgainError, match="exit code 0, with work left"):
        supervised(folder)


def test_a_lane_that_ends_well_before_its_work_is_done_is_replaced(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from imagemill_worker.lanes.lane import Lane
whole = Lane._work
def some(self):
    index = self._queue.take()
    if index is not None:
        self._tell(self._ended(index, self.assignment.tasks[index]))
Lane._work = some
"""
    put_before_lanes(folder, monkeypatch, code)
    assert are_all_written(supervised(folder))


def test_a_bug_in_a_lane_is_told_with_its_traceback(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from imagemill_worker.lanes.lane import Lane
def broken(self):
    raise ZeroDivisionError("a bug")
Lane.run = broken
"""
    put_before_lanes(folder, monkeypatch, code)
    with pytest.raises(LaneBugError, match="ZeroDivisionError: a bug"):
        supervised(folder)
