from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console

from imagemill.commands.run import planned_objects
from imagemill.display.progress import BarDisplay, LineDisplay, RunProgress, display_on
from imagemill.job_logs import JobLogs, StageProgress


class Paginator:
    def __init__(self, messages: list[tuple[int, str]]) -> None:
        self.messages = messages

    def paginate(
        self, *, logGroupName: str, startTime: int
    ) -> list[dict[str, Any]]:  # as boto3 has it
        assert logGroupName == "workers"
        wanted = [item for item in self.messages if item[0] >= startTime]
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


def test_planned_objects_are_unknown_while_the_plan_is_being_written() -> None:
    assert planned_objects(b'[{"objects": 3}, {"objects": 4}]') == 7
    assert planned_objects(b'[{"objects": 3}, {"obj') is None
