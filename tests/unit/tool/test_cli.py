"""The command line as a program."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import imagemill
from imagemill import cli
from imagemill.errors import UsageError
from tests.helpers.tool import IMAGEMILL
from tests.helpers.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]


def module(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imagemill", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def test_module_is_the_command_line() -> None:
    ended = module("--help")
    assert ended.returncode == 0, ended.stderr
    for verb in ("run", "plan", "verify", "compact", "duplicates", "up"):
        assert f"\n  {verb} " in ended.stdout


def test_version_is_that_of_the_package() -> None:
    ended = module("--version")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert ended.stdout == f"imagemill {imagemill.__version__}\n"
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "imagemill_contract.VERSION"
    }


def test_unknown_command_is_refused_with_exit_code_2() -> None:
    ended = module("rnu")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No such command 'rnu'" in ended.stderr


def test_plain_values_are_taken_without_pydantic(tmp_path: Path) -> None:
    """To import it would hold up every run."""
    code = (
        "import sys\nfrom imagemill import cli\n"
        "try: cli.main()\nfinally: print('pydantic' in sys.modules)"
    )
    typed = ["run", "nowhere", "out", "--size", "64"]
    command = [sys.executable, "-c", code, *typed]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "False\n")
    assert ended.stderr == 'imagemill: PHOTOS: "nowhere" is not a folder.\n'


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["run", "photos"], "Missing argument 'OUT'"),
        (["run", "photos", "out", "--vcpus", "0"], "Invalid value for '--vcpus'"),
        (["run", "photos", "out", "--vcpus", "many"], "Invalid value for '--vcpus'"),
    ],
)
def test_what_is_missing_or_no_value_is_refused(typed: list[str], sentence: str) -> None:
    ended = module(*typed)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Let the command line raise; gives the code with which the program ends."""
    monkeypatch.setattr(cli, "terminate_as_exit", lambda: None)
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    monkeypatch.delenv(cli.DEBUG, raising=False)

    def code_of(error: BaseException) -> int:
        def failing(**_options: str) -> None:
            raise error

        monkeypatch.setattr(cli, "app", failing)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return code_of


def test_error_is_one_sentence_and_a_traceback_only_if_asked_for(
    ends: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ends(UsageError("Nothing there.")) == 2
    assert capsys.readouterr().err == "imagemill: Nothing there.\n"
    monkeypatch.setenv(cli.DEBUG, "true")
    assert ends(UsageError("Nothing there.")) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "imagemill: Nothing there."


CRASH = """
import sys
from imagemill import cli
def failing(**_options): {}["absent"]
cli.app = failing
cli.main()
"""


@pytest.mark.parametrize("debug", [False, True])
def test_mistake_in_the_code_shows_where_only_if_asked_for(debug: bool) -> None:
    env = {**os.environ, **({cli.DEBUG: "true"} if debug else {})}
    ended = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, env=env, check=False
    )
    assert ended.returncode == 1
    assert ("Traceback" in ended.stderr) == debug
    if not debug:
        assert ended.stderr == (
            "imagemill: unexpectedly KeyError: 'absent'. To see where: imagemill --debug ...\n"
        )


def test_shell_completes_commands_options_and_words() -> None:
    def completed(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        env = {**os.environ, "_IMAGEMILL_COMPLETE": "complete_bash", **words}
        return subprocess.run(
            [str(IMAGEMILL)], capture_output=True, text=True, env=env, check=True
        ).stdout.split()

    assert completed("imagemill veri") == ["verify"]
    assert completed("imagemill run --edge-t") == ["--edge-three-channels"]
    assert completed("imagemill run --mode keep") == ["keep_ratio", "keep_ratio_largest"]
