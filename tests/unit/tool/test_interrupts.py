"""Ctrl-C says what was done and how to go on, in each command that takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from imagemill.commands import plan as plan_command
from imagemill.commands import up as up_command
from imagemill.commands import verify as verify_command
from imagemill.display import started as started_display
from tests.helpers.commands import called


def interrupted(*_words: Any, **_options: Any) -> Any:
    raise KeyboardInterrupt


@contextmanager
def some_stack(**_options: Any) -> Iterator[Any]:
    class Stack:
        name = input_bucket = output_bucket = state_machine_arn = endpoint_url = region = "x"

        @property
        def engine(self) -> Any:
            return self

        def client(self, _service: str) -> None:
            return None

        def check(self) -> None:
            raise KeyboardInterrupt

    yield Stack()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").touch()
    return tmp_path / "photos"


def test_plan_has_written_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_command, "local_stack", some_stack)
    monkeypatch.setattr(plan_command, "start_run", interrupted)
    ended = called("plan", photos)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "Stopped. A plan writes nothing, so nothing is left.\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Stopped. Nothing was changed."),
        (["--repair"], "Stopped. Run the same command again to finish."),
    ],
)
def test_verify_says_whether_anything_is_half_done(
    options: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_command, "run_worker", interrupted)
    ended = called("verify", tmp_path, *options)
    assert (ended.code, ended.err) == (130, f"{sentence}\n")


def test_up_says_that_all_in_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_command, "local_stack", some_stack)
    ended = called("up", "--json")
    assert (ended.code, ended.document["input_bucket"]) == (130, "x")
    assert ended.err == "Stopped: the engine ends, and all that is in it.\n"


def test_start_says_that_the_run_goes_on_and_how_to_stop_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Started:
        run_id, arn = "run-7", "arn"
        is_running = interrupted

    start = "imagemill.commands.on_stack.start"
    with some_stack() as stack:
        monkeypatch.setattr(f"{start}.usable_stack", lambda _choice: stack)
        monkeypatch.setattr(f"{start}.start_run", lambda *_words: Started())
        monkeypatch.setattr(started_display, "planned_run", lambda *_words: None)
        ended = called("start", "s3://bucket/full/")
    assert ended.code == 130
    assert ended.err.endswith("run-7 was started and goes on. To stop it: imagemill cancel run-7\n")


def test_demo_is_told_too_and_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Child:
        def __init__(self, command: list[str], **_options: Any) -> None:
            assert command[1:] == ["-m", "demo"]

        def __enter__(self) -> Child:
            return self

        def __exit__(self, *_error: object) -> None:
            ends.append("waited for")

        wait = interrupted

    ends: list[str] = []
    monkeypatch.setattr("imagemill.commands.demo.subprocess.Popen", Child)
    assert (called("demo").code, ends) == (130, ["waited for"])
