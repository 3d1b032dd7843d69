"""`imagemill verify` and `imagemill compact`: what the worker's end becomes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from imagemill import worker_process
from imagemill.commands import compact as compact_command
from imagemill.commands.compact import compact_dataset
from imagemill.commands.duplicates import list_duplicates
from imagemill.commands.verify import verify_dataset
from imagemill.errors import RunFailedError, UsageError
from imagemill.worker_process import run_worker
from imagemill_contract.errors import WorkerExit
from imagemill_contract.recipe_parts.choices import Measure
from tests.helpers.waiting import until

VERIFIED = {"shards": 1200, "samples": 5000, "indexed": 4990, "superseded": 10, "open": []}
LEFT_OUT = {"plain": 7, "unknown": 0}


def text_of(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, on either stream."""
    shown = capsys.readouterr()
    return shown.out + shown.err


def worker_ends(
    monkeypatch: pytest.MonkeyPatch, code: int, *events: dict[str, Any], errors: str = ""
) -> list[list[str]]:
    """Let the worker end so; returns the commands by which it is called."""
    commands: list[list[str]] = []

    def completed(command: list[str], _env: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        lines = "".join(json.dumps(event) + "\n" for event in events)
        return subprocess.CompletedProcess(command, code, lines, errors)

    monkeypatch.setattr(worker_process, "completed", completed)
    return commands


def test_whole_dataset_is_told_in_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"event": "verified", **VERIFIED, "damaged": 0, "unnamed": 2}
    commands = worker_ends(monkeypatch, WorkerExit.DONE, found)
    verify_dataset(str(tmp_path))
    assert commands[0][-3:] == ["verify", "--output", f"file://{tmp_path}/"]
    text = text_of(capsys)
    assert "1,200 dataset shards with 5,000 samples are whole" in text
    assert "2 files" in text


def test_damaged_shard_is_named_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = {"event": "damaged", "shard": "dataset/a.tar", "detail": "It is cut off."}
    found = {"event": "verified", **VERIFIED, "damaged": 1, "unnamed": 0}
    worker_ends(monkeypatch, WorkerExit.DAMAGED, damaged, found)
    with pytest.raises(RunFailedError, match="1 of 1,200"):
        verify_dataset(str(tmp_path))
    assert "damaged: dataset/a.tar: It is cut off." in text_of(capsys)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (WorkerExit.BAD_ARGUMENTS, UsageError),
        (WorkerExit.TRY_AGAIN, RunFailedError),
        (WorkerExit.BUG, RunFailedError),
        (-9, RunFailedError),
    ],
)
def test_worker_that_does_not_succeed_gives_its_last_sentence(
    code: int, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker_ends(monkeypatch, code, errors="a warning\nimagemill_worker: The disk is full.\n")
    with pytest.raises(error, match=r"The disk is full\.$"):
        run_worker("compact", str(tmp_path))


def test_worker_that_is_killed_without_a_word_is_told_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker_ends(monkeypatch, -9)
    with pytest.raises(RunFailedError, match=r"^The worker ended with code -9\.$"):
        run_worker("verify", str(tmp_path))


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("absent\n", r'OUT: "absent\n" is not a folder.'),
        ("s3://B/", 'OUT: "s3://B/" has no valid bucket name.'),
        ("x" * 300, 'xxx" cannot be used: File name too long.'),
    ],
)
def test_place_that_cannot_hold_results_is_refused(
    out: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = worker_ends(monkeypatch, WorkerExit.DONE)
    with pytest.raises(UsageError) as raised:
        run_worker("verify", out)
    assert sentence in str(raised.value)
    assert commands == []


def test_folder_without_a_dataset_is_refused_by_the_worker_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^OUT: There are no dataset shards at"):
        run_worker("verify", str(tmp_path))


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143)])
def test_compaction_that_is_stopped_says_how_to_go_on(
    end: BaseException, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_command: str, _out: str) -> None:
        raise end

    monkeypatch.setattr(compact_command, "run_worker", stopped)
    with pytest.raises(type(end)):
        compact_dataset("out", as_json=False)
    assert "Run the same command again to finish." in text_of(capsys)


def test_compaction_that_has_nothing_to_do_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"event": "compacted", "superseded": 0, "removed": 0, "written": 0}
    worker_ends(monkeypatch, WorkerExit.DONE, found)
    compact_dataset(str(tmp_path), as_json=False)
    assert text_of(capsys).startswith("Nothing to do")


def test_programs_get_all_that_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = {"event": "damaged", "shard": "dataset/a.tar", "detail": "It is cut off."}
    found = {"event": "verified", **VERIFIED, "damaged": 1, "unnamed": 0}
    worker_ends(monkeypatch, WorkerExit.DAMAGED, left("dataset/b.tar"), damaged, found)
    with pytest.raises(RunFailedError):
        verify_dataset(str(tmp_path), as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["shards"], shown["damaged"]) == (1200, 1)
    assert shown["damaged_shards"] == [{"shard": "dataset/a.tar", "detail": "It is cut off."}]
    assert shown["leftovers"] == [{"name": "dataset/b.tar", "objects": 1}]

    found = {"event": "compacted", "superseded": 3, "removed": 2, "written": 1}
    worker_ends(monkeypatch, WorkerExit.DONE, found)
    compact_dataset(str(tmp_path), as_json=True)
    assert json.loads(capsys.readouterr().out)["superseded"] == 3


def left(name: str, objects: int = 1) -> dict[str, Any]:
    return {"event": "leftover", "name": name, "objects": objects}


def test_what_is_left_is_named_with_how_to_remove_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"event": "verified", **VERIFIED, "damaged": 0, "unnamed": 1, "open": ["run-7"]}
    events = [left("dataset/a.tar"), *(left(f"journal/run-{n}/", 1_500) for n in range(30))]
    worker_ends(monkeypatch, WorkerExit.DONE, *events, found)
    verify_dataset(str(tmp_path))
    lines = text_of(capsys).splitlines()
    assert lines[:2] == ["left over: dataset/a.tar", "left over: journal/run-0/ (1,500 files)"]
    assert lines[20:22] == [
        "left over: 11 more",
        "Nobody needs what is left over; --repair removes it.",
    ]
    assert lines[-1] == "Runs without a report, going on or stopped: run-7."


@pytest.mark.parametrize("force", [False, True])
def test_repair_tells_what_it_has_removed(
    force: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = {"event": "damaged", "shard": "dataset/a.tar", "detail": "It is cut off."}
    found = {"event": "verified", **VERIFIED, "damaged": 1, "unnamed": 0, "lost": 1_400}
    events = [left("dataset/b.tar"), damaged, found]
    commands = worker_ends(monkeypatch, WorkerExit.DAMAGED, *events)
    with pytest.raises(RunFailedError) as raised:
        verify_dataset(str(tmp_path), repair=True, force=force)
    assert str(raised.value) == (
        "1 of 1,200 shards were damaged and are removed, with 1,400 samples that counted. The next "
        "run does their pictures again."
    )
    assert text_of(capsys).splitlines() == [
        "removed: dataset/b.tar",
        "damaged: dataset/a.tar: It is cut off.",
    ]
    options = ["--repair", "--force"] if force else ["--repair"]
    assert commands[0][-len(options) :] == options


def test_only_a_repair_can_be_forced(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--force: "):
        verify_dataset(str(tmp_path), force=True)


PATIENT = """
import signal, sys, time
from pathlib import Path
def leave(*_):
    Path(sys.argv[1]).write_text("gave the lock back")
    sys.exit(1)
signal.signal(signal.SIGTERM, leave)
Path(sys.argv[2]).touch()
time.sleep(60)
"""


def test_worker_can_clean_up_when_the_tool_is_stopped(tmp_path: Path) -> None:
    ended, started = tmp_path / "ended", tmp_path / "started"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def stop_when_started() -> None:
        until(started.exists, "the worker has started")
        signal.pthread_kill(main, signal.SIGALRM)

    main = threading.get_ident()
    command = [sys.executable, "-c", PATIENT, str(ended), str(started)]
    handler = signal.signal(signal.SIGALRM, stop)
    thread = threading.Thread(target=stop_when_started)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            worker_process.completed(command, os.environ)
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, handler)
    assert ended.read_text() == "gave the lock back"


def test_duplicates_are_listed_a_group_on_each_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    group = {"event": "duplicates", "names": ["a.jpg", "b.jpg", "c.jpg"]}
    summary = {"event": "compared", "pictures": 5000, "groups": 1, "extra": 2} | LEFT_OUT
    commands = worker_ends(monkeypatch, WorkerExit.DONE, group, summary)
    list_duplicates(str(tmp_path), by=Measure.VECTOR, distance=0.05, as_json=False)
    told = ["duplicates", "--output", f"file://{tmp_path}/", "--by", "vector"]
    assert commands[0][-7:] == [*told, "--distance", "0.05"]
    text = text_of(capsys)
    assert "a.jpg  b.jpg  c.jpg\n" in text
    assert "5,000 pictures compared: 2 of them are one too many, in 1 groups." in text
    assert "7 that are all of one brightness were not compared." in text
    assert "earlier version" not in text
    with pytest.raises(UsageError, match="--distance: Vectors are compared"):
        list_duplicates(str(tmp_path), by=Measure.VECTOR, distance=2, as_json=False)
    list_duplicates(str(tmp_path), by=Measure.FINGERPRINT, distance=None, as_json=True)
    assert commands[1][-2:] == ["--by", "fingerprint"]
    assert json.loads(text_of(capsys)) == {
        "pictures": 5000,
        "groups": 1,
        "extra": 2,
        **LEFT_OUT,
        "duplicates": [["a.jpg", "b.jpg", "c.jpg"]],
    }
