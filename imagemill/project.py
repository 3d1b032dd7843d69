"""Paths of the parts of the checkout that the tool deploys and starts."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"

_ANSWER_SECONDS = 5

# The packages of the worker image, for the import path of local jobs.
WORKER_FOLDERS = (ROOT / "contract", ROOT / "batch_worker")


@cache
def commit() -> str:
    """The commit of this checkout; empty where git cannot tell: no repository, or no git."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        told = subprocess.run(  # the git of the person who runs this
            command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
