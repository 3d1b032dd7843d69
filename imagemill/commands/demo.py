"""`imagemill demo`: the demo, which is a program of its own beside the tool."""

from __future__ import annotations

import os
import subprocess
import sys

from imagemill.errors import RunFailedError
from imagemill.project import ROOT


def run_demo() -> None:
    """Run the demo to its end. Raises RunFailedError if it failed; it has said why."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen([sys.executable, "-m", "demo"], env=env) as process:
        code = process.wait()
    if code:
        raise RunFailedError(f"The demo has ended with code {code}.")
