"""Installs the tools to compare with into .venvs/ and build/ of this checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.photographs import ROOT

IMG2DATASET = ("img2dataset", ("img2dataset==1.47",))
RIVALS = ("rivals", ("pyvips[binary]==3.2.0", "pillow==13.0.0", "numpy==2.4.6", "boto3==1.43.106"))
SHARP = "sharp@0.35.5"


def python_of(environment: tuple[str, tuple[str, ...]]) -> str:
    """Path of an environment's Python. The first call makes the environment."""
    name, packages = environment
    folder = ROOT / ".venvs" / name
    python, done = folder / "bin" / "python", folder / ".installed"
    if not done.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([str(python), *pip, *packages])
        done.touch()
    return str(python)


def sharp_folder() -> Path:
    """The folder in which node finds sharp."""
    folder = ROOT / "build" / "sharp"
    if not (folder / "node_modules" / "sharp").exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        _run([*npm, SHARP])
    return folder


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
