"""`imagemill` with jobs at the pace of the soak: `-m benchmarks.chaos.paced_tool FOLDER run`."""

from __future__ import annotations

import sys
from pathlib import Path

from imagemill import cli, local_stack, project


def set_pace(folder: Path) -> None:
    """Let jobs of all stacks of this process find `folder` first."""
    folders = (folder, *project.WORKER_FOLDERS)
    vars(local_stack)["WORKER_FOLDERS"] = folders  # a name that it has imported


if __name__ == "__main__":
    pace, *arguments = sys.argv[1:]
    set_pace(Path(pace))
    sys.argv = ["imagemill", *arguments]
    cli.main()
