"""What makes jobs slow and their journals quick, so that half a second has room for everything.

Python imports `sitecustomize` at its start, before the worker's own modules.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.photographs import ROOT

_TEXT = """
import os, sys, time
if sys.orig_argv[1:3] in (["-m", "imagemill_worker"], ["-m", "imagemill_worker.lanes"]):
    from imagemill_worker import journal
    from imagemill_worker.codecs import file_kind
    from imagemill_worker.dataset import intermediate
    journal._LEAST_ROWS, journal._SECONDS, journal._SECONDS_IN_FOLDER = 2, 0.2, 0.2
    intermediate._LEAST_PIECE_BYTES, intermediate._SECONDS = 1, 0.3
    intermediate._SECONDS_IN_FOLDER = 0.3
    kind_of, seconds = file_kind.kind_of, float(os.environ.get("CHAOS_SECONDS", "0.04"))
    def slow(view):
        time.sleep(seconds)
        return kind_of(view)
    file_kind.kind_of = slow
"""


def write_pace(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text(_TEXT)


def worker_paths(pace: Path | None) -> list[str]:
    """PYTHONPATH of a worker, at its own pace or at ours."""
    rooms = [str(ROOT / "contract"), str(ROOT / "batch_worker")]
    return rooms if pace is None else [str(pace), *rooms]


def worker_environment(pace: Path | None) -> dict[str, str]:
    path = os.pathsep.join(worker_paths(pace))
    return {**os.environ, "ALLOW_FILE_URIS": "true", "PYTHONPATH": path}
