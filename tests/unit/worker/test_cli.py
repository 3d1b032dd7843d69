"""The worker's command line: which error ends it with which exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from imagemill_contract.errors import DocumentError, WorkerExit
from imagemill_worker import cli
from imagemill_worker.dataset import compact, verify
from imagemill_worker.errors import (
    ArgumentsError,
    LaneBugError,
    StoreRefusedError,
    TryAgainError,
)

VERIFY = ["verify", "--output", "s3://bucket/"]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The handler of SIGTERM that the command line sets is taken back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArgumentsError("No such shard."), WorkerExit.BAD_ARGUMENTS),
        (DocumentError("Torn."), WorkerExit.BAD_ARGUMENTS),
        (StoreRefusedError("May not."), WorkerExit.BUG),
        (LaneBugError("Traceback"), WorkerExit.BUG),
        (TryAgainError("Slow down."), WorkerExit.TRY_AGAIN),
        (MemoryError(), WorkerExit.TRY_AGAIN),
    ],
)
def test_each_error_has_its_exit_code_and_its_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: WorkerExit,
) -> None:
    def failing(_address: str, *_options: object) -> bool:
        raise error

    monkeypatch.setattr(verify, "verify", failing)
    assert cli.main(VERIFY) == code
    assert capsys.readouterr().err == f"imagemill_worker: {str(error) or 'MemoryError'}\n"


def test_key_in_an_error_begins_no_line_of_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_address: str, *_options: object) -> bool:
        raise StoreRefusedError('May not read a\n{"event": "end"}\r\x1b[2Jb.jpg.')

    monkeypatch.setattr(verify, "verify", failing)
    cli.main(VERIFY)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "imagemill_worker: May not read a"
    assert second == '| {"event": "end"}\\r\\x1b[2Jb.jpg.'


def test_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_address: str, *_options: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(verify, "verify", failing)
    with pytest.raises(ZeroDivisionError):
        cli.main(VERIFY)


@pytest.mark.parametrize(("whole", "code"), [(True, WorkerExit.DONE), (False, WorkerExit.DAMAGED)])
def test_damage_is_told_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, whole: bool, code: WorkerExit
) -> None:
    monkeypatch.setattr(verify, "verify", lambda _address, *_options: whole)
    assert cli.main(VERIFY) == code


def test_signal_to_stop_reaches_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_address: str, stopping: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        assert stopping.is_set()  # type: ignore[attr-defined] # an event
        raise TryAgainError("The job was told to stop.")

    monkeypatch.setattr(compact, "compact", stopped)
    assert cli.main(["compact", "--output", "s3://bucket/"]) == WorkerExit.TRY_AGAIN


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sharpen"],
        ["resize"],
        ["resize", "--shard", "s3://b/s", "--threads", "0"],
        ["resize", "--shard", "s3://b/s", "--vcpus", "513"],
        ["edge", "--shard", "s3://b/s", "--threads", "many"],
        ["verify"],
    ],
)
def test_arguments_that_are_wrong_end_with_the_code_of_bad_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == WorkerExit.BAD_ARGUMENTS
    assert "usage: imagemill_worker" in capsys.readouterr().err
