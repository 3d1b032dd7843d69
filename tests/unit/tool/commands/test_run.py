"""`imagemill run` without an engine: what is refused before it starts, how it is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imagemill import cli
from imagemill import execution as execution_module
from imagemill.commands import plan as plan_command
from imagemill.commands import run as run_command
from imagemill.commands.run import planned_objects
from imagemill.errors import UsageError
from imagemill_contract.keys import plan_key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with one picture in `photos`."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "empty", "texts"):
        (tmp_path / name).mkdir()
    (tmp_path / "photos/a.jpg").touch()
    (tmp_path / "texts/a.txt").touch()
    (tmp_path / "file").touch()
    return tmp_path


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def started(**_options: Any) -> Iterator[None]:
        pytest.fail("the engine was started")
        yield

    monkeypatch.setattr(run_command, "local_stack", started)
    monkeypatch.setattr(plan_command, "local_stack", started)


def refusal_of(arguments: list[str]) -> str:
    """The sentence with which a command is refused, by the tool or by its parser."""
    ended = CliRunner().invoke(cli.app, arguments)
    if isinstance(ended.exception, UsageError):
        return str(ended.exception)
    assert ended.exit_code == 2, ended.output
    return ended.stderr


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--limit", "0"], "limit: 0 is not allowed; it must be a whole number from 1 to"),
        (["--limit", "few"], "Invalid value for '--limit'"),
        (["--min-bytes", "-1"], "min_bytes: -1 is not allowed"),
        (["--max-bytes", "1XB"], 'max_bytes: "1XB" is not allowed; it must be a whole number'),
        (["--max-bytes", ""], 'max_bytes: "" is not allowed'),
        (["--min-bytes", "2MB", "--max-bytes", "1MB"], "it must not be more than max_bytes"),
        (["--include", ""], 'include_globs: [""] is not allowed'),
        (["--manifest", "absent.csv"], '--manifest: "absent.csv" is not a file.'),
        (["--manifest", "s3://bucket/"], "manifest: "),
        (["--exclude", "photos"], '--exclude: "photos" is not a file.'),
        (["--exclude", "x" * 300], 'xxx" cannot be used: File name too long.'),
        (["--exclude", "a\nb"], r'--exclude: "a\nb" is not a file.'),
        (["--recipe", "absent.toml"], '--recipe: "absent.toml" cannot be used: No such file'),
        (["--recipe", "file"], '--recipe: "file" is not JSON or TOML: '),
        (["--size", "0"], "recipe.size: 0 is not allowed"),
        (["--vcpus", "0"], "Invalid value for '--vcpus'"),
        (["--sise", "3"], "No such option: --sise"),
    ],
)
def test_bad_value_of_an_option_is_refused_before_the_engine_starts(
    command: str, options: list[str], sentence: str, folder: Path
) -> None:
    assert sentence in refusal_of([command, "photos", "out", *options])
    assert not (folder / "out").exists()


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("photos", "out", "sentence"),
    [
        ("photos", "s3://bucket/out", 'OUT: "s3://bucket/out" must be a folder on this machine'),
        ("absent", "out", 'PHOTOS: "absent" is not a folder.'),
        ("photos", "file", 'OUT: "file" is not a folder.'),
        ("photos", "photos/out", "must not contain each other"),
        ("empty", "out", 'source: there are no pictures at "file:///'),
        ("texts", "out", '/texts/" (left out: 1 not a picture by its name).'),
    ],
)
def test_folders_that_cannot_be_used_are_refused_before_the_engine_starts(
    command: str, photos: str, out: str, sentence: str, folder: Path
) -> None:
    assert sentence in refusal_of([command, photos, out])
    assert not (folder / "out").exists()
    assert not (folder / "s3:").exists()


@pytest.mark.usefixtures("no_engine", "folder")
def test_address_is_no_folder_of_pictures_to_run() -> None:
    assert 'PHOTOS: "s3://b-c/full/" must be a folder' in refusal_of(["run", "s3://b-c/full/", "o"])


@dataclass
class States:
    """A Step Functions whose execution runs until it is stopped."""

    stopped: list[str] = field(default_factory=list)
    end: dict[str, str] = field(default_factory=lambda: {"status": "RUNNING"})

    def start_execution(self, **request: str) -> dict[str, str]:
        return {"executionArn": f"arn:{request['name']}"}

    def describe_execution(self, **_names: str) -> dict[str, str]:
        return self.end

    def stop_execution(self, **request: str) -> None:
        self.stopped.append(request["executionArn"])


@dataclass
class Logs:
    """The worker's log group, whose every reading finds the same lines."""

    out: Path
    rows: list[dict[str, Any]]
    end: BaseException

    def get_paginator(self, _name: str) -> Logs:
        return self

    def paginate(self, **_request: object) -> list[dict[str, Any]]:
        (plan,) = self.out.glob("runs/*/plan.json")
        known = {"event": "progress", "run_id": plan.parent.name, "rejected": 0, "failed": 0}
        lines = [json.dumps({**known, **row}) for row in self.rows]
        return [{"events": [{"timestamp": 1, "message": line} for line in lines]}]


@dataclass
class Stack:
    """An engine on which a run is going on, until something ends it."""

    states: States
    logs: Logs
    state_machine_arn: str = "arn"
    worker_log_group: str = "workers"
    checks: int = 0

    @property
    def engine(self) -> Stack:
        return self

    def client(self, service: str) -> Any:
        return {"stepfunctions": self.states, "logs": self.logs}[service]

    def check(self) -> None:
        self.checks += 1
        if self.checks == 3:
            raise self.logs.end


def ended_by(
    error: BaseException, rows: list[dict[str, Any]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, States]:
    """A run over the one picture that `error` ends after two looks at it."""
    stack = Stack(States(), Logs(folder / "out", rows, error))

    @contextmanager
    def started(**_options: Any) -> Iterator[Stack]:
        yield stack

    def start_run(states: Any, arn: str, document: Any) -> Any:
        execution = execution_module.start_run(states, arn, document)
        path = folder / "out" / plan_key(execution.run_id)
        path.parent.mkdir(parents=True)
        path.write_text('[{"objects": 1500}]')
        return execution

    monkeypatch.setattr(run_command, "local_stack", started)
    monkeypatch.setattr(run_command, "start_run", start_run)
    monkeypatch.setattr(run_command, "POLL_SECONDS_OF_LINES", 0)
    return CliRunner().invoke(cli.app, ["run", "photos", "out"]), stack.states


RESIZE = {"stage": "resize", "shard_id": "00000", "done": 1200, "written": 1190}
EDGE = {"stage": "edge", "shard_id": "00000", "done": 7, "written": 7}


def test_ctrl_c_stops_the_run_and_says_what_was_done_and_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, states = ended_by(KeyboardInterrupt(), [RESIZE, EDGE], folder, monkeypatch)
    assert ended.exit_code == 130
    assert len(states.stopped) == 1
    assert ended.stderr.splitlines() == [
        "Stopped: 1,190 of 1,500 pictures resized, 7 edge maps made.",
        "Run the same command again to go on.",
    ]


def test_sigterm_stops_the_run_as_ctrl_c_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, states = ended_by(SystemExit(143), [RESIZE], folder, monkeypatch)
    assert (ended.exit_code, len(states.stopped)) == (143, 1)
    assert "Stopped: 1,190 of 1,500 pictures resized, 0 edge maps made." in ended.stderr


def test_run_that_is_stopped_early_has_done_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, _ = ended_by(KeyboardInterrupt(), [], folder, monkeypatch)
    assert ended.stderr.splitlines()[0] == "Stopped before any picture was done."


def test_ctrl_c_while_the_engine_starts_is_told_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted(**_options: Any) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(run_command, "local_stack", interrupted)
    ended = CliRunner().invoke(cli.app, ["run", "photos", "out"])
    assert ended.exit_code == 130
    assert ended.stderr.splitlines()[0] == "Stopped before any picture was done."


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device", "/out/x\ny"), r'"/out/x\ny": No space left on'),
        (PermissionError(13, "Permission denied"), "imagemill: Permission denied."),
    ],
)
def test_error_of_the_system_is_one_sentence(
    error: OSError,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def failing(**_options: Any) -> Iterator[None]:
        raise error
        yield

    monkeypatch.setattr(run_command, "local_stack", failing)
    monkeypatch.setattr(cli, "terminate_as_exit", lambda: None)
    monkeypatch.setattr("sys.argv", ["imagemill", "run", "photos", "out"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


def test_planned_objects_are_unknown_while_the_plan_is_being_written() -> None:
    assert planned_objects(b'[{"objects": 3}, {"objects": 4}]') == 7
    assert planned_objects(b'[{"objects": 3}, {"obj') is None
