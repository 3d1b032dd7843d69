"""`make bench`: the short benchmarks, one after the other in five minutes, and a table of bars.

A script gets a row in `SHORT`, and says its bars with `benchmarks.bars.say`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bars import VARIABLE, said, table

# Script and arguments.
SHORT: tuple[tuple[str, ...], ...] = (
    ("upload_burst",),
    ("listing", "100000"),
    ("subsampling", "--rounds", "2"),
    ("fidelity",),
    ("end_to_end", "--short"),
)


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bars = Path(folder, "bars")
        environment = {**os.environ, VARIABLE: str(bars)}
        for name, *arguments in SHORT:
            print(f"\n## {name}\n", flush=True)
            command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
            subprocess.run(command, check=True, env=environment)
        print(f"\n## Bars, after {time.monotonic() - began:.0f} s\n\n{table(said(bars))}")


if __name__ == "__main__":
    main()
