"""The command line as a person types it: a real subprocess."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from imagemill_contract.keys import OPEN_RUNS
from tests.helpers.waiting import PATIENCE_SECONDS, until

IMAGEMILL = Path(sys.executable).with_name("imagemill")


def imagemill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(IMAGEMILL), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def killed_run(photos: Path, out: Path, *options: str, when: Callable[[], object]) -> str:
    """Start a run and kill its process, engine and jobs with it; the run's id."""
    command = [str(IMAGEMILL), "run", str(photos), str(out), "--vcpus", "1", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        until(lambda: when() or process.poll() is not None, "it is time to kill the run", 0.01)
        assert process.poll() is None, process.communicate()
    finally:
        process.kill()
        process.communicate()
    assert not list(out.glob("runs/*/report.json"))
    (marker,) = (out / OPEN_RUNS).iterdir()
    return marker.stem
