"""The command line as a person types it: a real subprocess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers.waiting import PATIENCE_SECONDS

IMAGEMILL = Path(sys.executable).with_name("imagemill")


def imagemill(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(IMAGEMILL), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
