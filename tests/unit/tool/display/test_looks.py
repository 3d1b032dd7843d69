"""What a person reads about a run that is going on, and how times are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from imagemill.deployed.job_logs import StageProgress
from imagemill.deployed.progress import Look
from imagemill.deployed.runs import Run, RunState
from imagemill.display.looks import lines_of
from imagemill.display.times import duration
from imagemill_contract.recipe import Recipe

START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
NOW = START + timedelta(seconds=200)
RUNNING = Look(
    run=Run("run-1", RunState.RUNNING, started=START),
    planned={"objects": 10_000, "shards": 4, "recipe": Recipe().to_document()},
    stages={"resize": StageProgress(done=4_000, written=3_990, rejected=10)},
    rates={"resize": 50.0, "edge": 0.0},
    shards={"running": 2, "succeeded": 1, "failed": 0, "pending": 1},
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7_500, "2 h 5 min"),
        (3 * 86_400 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_running_run_shows_images_rate_time_left_and_shards() -> None:
    assert list(lines_of(RUNNING, NOW)) == [
        "run-1 has been running for 3 min 20 s",
        "resize  4,000 of 10,000 images, 50 images/s, 2 min 0 s left, 10 rejected",
        "edge    0 of 10,000 images",
        "shards  2 running, 1 succeeded, 1 pending of 4",
    ]


def test_run_that_is_not_planned_yet_says_what_it_waits_for() -> None:
    new = Look(RUNNING.run, None)
    assert list(lines_of(new, NOW)) == ["run-1 has been planning for 3 min 20 s"]
    waiting = replace(new, run=replace(new.run, request={"closes": "2026-11-25T10:05:00Z"}))
    (line,) = lines_of(waiting, NOW)
    assert line.startswith("run-1 has been waiting until 2026-11-25 ")
    assert line.endswith("for more uploads, for 3 min 20 s")


def test_ended_run_without_a_report_says_how_it_ended_and_why() -> None:
    run = Run("run-1", RunState.REFUSED, START, START + timedelta(seconds=3), cause="No pictures.")
    assert list(lines_of(Look(run, None), NOW)) == ["run-1 was refused after 3 s", "No pictures."]
    stopped = replace(RUNNING, run=Run("run-1", RunState.STOPPED, START, NOW))
    first, resize, *_ = lines_of(stopped, NOW)
    assert first == "run-1 was stopped after 3 min 20 s"
    assert "left" not in resize
