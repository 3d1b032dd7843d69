"""The job's log: lines of JSON, about one a second, whose counts add up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker import progress
from imagemill_worker.progress import Pace, Progress

NAMES = {"run_id": "run-1", "stage": "resize"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be put forward."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_line_has_the_names_and_every_count(capsys: pytest.CaptureFixture[str]) -> None:
    job = Progress(NAMES, planned=5)
    job.add(Outcome("a", Status.WRITTEN), 10)
    job.add(Outcome("b", Status.WRITTEN), 20)
    job.add(Outcome("c", Status.REJECTED, Reason.EMPTY), 0)
    job.log("end", cpu_seconds=1.5)
    (line,) = lines(capsys)
    assert line == {
        **{"event": "end", "run_id": "run-1", "stage": "resize", "cpu_seconds": 1.5},
        **{"done": 3, "planned": 5, "bytes": 30},
        **{"written": 2, "rejected": 1, "skipped": 0, "failed": 0},
    }


def test_lines_come_no_oftener_than_once_a_second(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    job = Progress(NAMES, planned=100, _pace=Pace(clock[0]))
    for number in range(35):
        clock[0] += 0.1
        job.add(Outcome(str(number), Status.WRITTEN), 1)
        job.log_now_and_then()
    done = [line["done"] for line in lines(capsys)]
    assert len(done) == 3
    assert done == sorted(done)


def test_first_line_waits_a_second_too(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    job = Progress(NAMES, planned=1, _pace=Pace(clock[0]))
    clock[0] += 0.99
    job.log_now_and_then()
    assert lines(capsys) == []
    clock[0] += 0.01
    job.log_now_and_then()
    assert [line["event"] for line in lines(capsys)] == ["progress"]


def test_line_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    progress.log("start", {"key": "日本\n\u2028é"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"event": "start", "key": "日本\n\u2028é"}
    assert "日本" in out
