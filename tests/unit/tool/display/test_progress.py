from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from imagemill.deployed.job_logs import JobLogs, StageProgress
from imagemill.display.progress import BarDisplay, LineDisplay, RunProgress, display_on


class Paginator:
    def __init__(self, messages: list[tuple[int, str]]) -> None:
        self.messages = messages

    def paginate(
        self, *, logGroupName: str, startTime: int, filterPattern: str
    ) -> list[dict[str, Any]]:  # as boto3 has it
        assert logGroupName == "workers"
        assert '$.run_id = "r"' in filterPattern
        events = re.findall(r'event = "(\w+)"', filterPattern)
        wanted = [
            (at, text)
            for at, text in self.messages
            if at >= startTime and (not text.endswith("}") or json.loads(text)["event"] in events)
        ]
        return [{"events": [{"timestamp": at, "message": text}]} for at, text in wanted]


class Logs:
    def __init__(self) -> None:
        self.messages: list[tuple[int, str]] = []

    def get_paginator(self, name: str) -> Paginator:
        assert name == "filter_log_events"
        return Paginator(self.messages)

    def add(self, at: int, **row: object) -> None:
        known = {"event": "progress", "run_id": "r", "written": 0, "rejected": 0, "failed": 0}
        self.messages.append((at, json.dumps({**known, **row})))


def test_progress_is_the_last_word_of_each_shard_summed() -> None:
    logs = Logs()
    reader = JobLogs(logs, "workers", "r", since_ms=0)
    logs.add(1, stage="resize", shard_id="00000", done=5)
    logs.add(2, stage="resize", shard_id="00001", done=2, rejected=1)
    logs.add(2, stage="resize", shard_id="00001", done=9, run_id="another")
    logs.messages.append((3, "Traceback (most recent call last):"))
    logs.messages.append((3, "{torn"))
    assert reader.read() == {"resize": StageProgress(done=7, rejected=1)}
    logs.add(4, stage="resize", shard_id="00000", done=8)
    logs.add(5, stage="edge", shard_id="00000", done=1, failed=1)
    assert reader.read() == {
        "resize": StageProgress(done=10, rejected=1),
        "edge": StageProgress(done=1, failed=1),
    }


def test_rate_is_that_of_the_last_minute_over_all_shards() -> None:
    logs = Logs()
    reader = JobLogs(logs, "workers", "r", since_ms=0)
    for second in range(0, 200, 10):
        done = second if second <= 100 else 100 + 3 * (second - 100)
        logs.add(1000 * second, stage="resize", shard_id="00000", done=done)
        logs.add(1000 * second, stage="resize", shard_id="00001", done=2 * second)
    assert reader.read()["resize"].done == 100 + 3 * 90 + 2 * 190
    assert reader.rates()["resize"] == pytest.approx(5.0)
    assert reader.rates()["edge"] == 0


def test_look_at_a_long_run_reads_how_jobs_have_ended_and_the_last_minute() -> None:
    logs = Logs()
    reader = JobLogs(logs, "workers", "r", since_ms=0)
    logs.add(1_000, stage="resize", shard_id="00000", done=50)
    logs.add(2_000, event="end", stage="resize", shard_id="00000", done=100, rejected=4)
    logs.add(9_000, stage="resize", shard_id="00001", done=7)
    logs.add(595_000, stage="resize", shard_id="00001", done=900)
    logs.add(600_000, stage="resize", shard_id="00001", done=950)
    reader.skip_to(600_000)
    assert reader.since_ms == 540_000
    assert reader.read() == {"resize": StageProgress(done=1050, rejected=4)}
    assert reader.rates()["resize"] == pytest.approx(10.0)


def test_pipe_gets_plain_lines_and_a_terminal_gets_bars() -> None:
    assert isinstance(display_on(Console(file=io.StringIO())), LineDisplay)
    assert isinstance(display_on(Console(file=io.StringIO(), force_terminal=True)), BarDisplay)


def test_plain_line_names_done_planned_and_rejected() -> None:
    text = io.StringIO()
    with LineDisplay(Console(file=text, width=200)) as display:
        display.show(RunProgress({"resize": StageProgress(done=50, rejected=3)}, 50))
        display.show(RunProgress({"resize": StageProgress(done=50, rejected=3)}, 50))
    (line,) = text.getvalue().splitlines()
    assert line.startswith("resize: 50 of 50 images, ")
    assert line.endswith("3 rejected")


def test_bars_show_both_stages() -> None:
    text = io.StringIO()
    console = Console(file=text, width=120, force_terminal=True)
    with BarDisplay(console) as display:
        display.show(RunProgress({"resize": StageProgress(done=7, rejected=2)}, 9))
    assert "7/9" in text.getvalue()
    assert "2 rejected" in text.getvalue()
    assert "edge" in text.getvalue()


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_rate_of_a_stage_counts_from_when_its_first_picture_was_done() -> None:
    text, clock = io.StringIO(), Clock()
    with LineDisplay(Console(file=text, width=200), clock) as display:

        def show(seconds: float, **done: int) -> None:
            clock.seconds += seconds
            stages = {stage: StageProgress(done=count) for stage, count in done.items()}
            display.show(RunProgress(stages, 1000))

        show(20, resize=0)  # the engine, the plan and the first job take their time
        show(1, resize=10)
        show(4, resize=50)
        show(6, resize=1000, edge=0)
        show(10, resize=1000, edge=0)
        show(5, resize=1000, edge=100)
        show(5, resize=1000, edge=600)
        show(4, resize=1000, edge=1000)
    assert text.getvalue().splitlines() == [
        "resize: 0 of 1000 images",
        "resize: 50 of 1000 images, 10 images/s, 95 s left",
        "resize: 1000 of 1000 images, 99 images/s",
        "edge: 0 of 1000 images",
        "edge: 100 of 1000 images",
        "edge: 600 of 1000 images, 100 images/s, 4 s left",
        "edge: 1000 of 1000 images, 100 images/s",
    ]


def test_slow_rate_is_not_rounded_to_nothing() -> None:
    text, clock = io.StringIO(), Clock()
    with LineDisplay(Console(file=text, width=200), clock) as display:
        for seconds, done in ((0, 1), (10, 5)):
            clock.seconds += seconds
            display.show(RunProgress({"resize": StageProgress(done=done, failed=1)}, 8))
    (line,) = text.getvalue().splitlines()
    assert line == "resize: 5 of 8 images, 0.4 images/s, 8 s left, 1 failed"
