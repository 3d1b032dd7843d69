"""The command line as a program."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import imagemill
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
    for verb in ("run", "plan", "verify", "compact", "up"):
        assert f"\n  {verb} " in ended.stdout


def test_version_is_that_of_the_package() -> None:
    ended = module("--version")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert ended.stdout == f"imagemill {imagemill.__version__}\n"
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "imagemill.__version__"}


def test_unknown_command_is_refused_with_exit_code_2() -> None:
    ended = module("rnu")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No such command 'rnu'" in ended.stderr
