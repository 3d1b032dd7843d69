"""What pip says while make installs is seen only if pip fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imagemill.project import ROOT

MAKE = shutil.which("make") or "make"
PROBE = """
include {makefile}

probe:
\t@$(call pip_install,venv,-r requirements.txt)
\t@echo installed
"""
PYTHON = """#!/bin/sh
echo "WARNING: an odd setting of pip" >&2
echo "asked for: $*"
exit {code}
"""


# What makes a make say that it is one below another, as in `make test`.
OF_A_MAKE_ABOVE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def made(folder: Path, code: int) -> subprocess.CompletedProcess[str]:
    """Install by a pip that warns, and then ends so."""
    python = folder / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(code=code))
    python.chmod(0o755)
    (folder / "probe.mk").write_text(PROBE.format(makefile=ROOT / "Makefile"))
    return subprocess.run(  # in that folder, so that this checkout stays as it is
        [MAKE, "-f", "probe.mk", "probe"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in OF_A_MAKE_ABOVE},
        capture_output=True,
        text=True,
        check=False,
    )


def test_warnings_of_pip_are_not_shown_when_all_is_well(tmp_path: Path) -> None:
    ended = made(tmp_path, 0)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "installed\n", "")


@pytest.mark.parametrize("code", [1, 2])
def test_all_that_pip_has_said_is_shown_when_it_fails(code: int, tmp_path: Path) -> None:
    ended = made(tmp_path, code)
    assert ended.returncode == 2  # make's own
    assert "installed" not in ended.stdout
    assert "WARNING: an odd setting of pip" in ended.stderr
    assert "asked for: -m pip install --quiet" in ended.stderr
    assert "-r requirements.txt" in ended.stderr
