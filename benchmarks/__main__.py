"""`make bench`: the benchmarks that need nothing but this checkout, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("upload_burst.py", "listing.py", "partition_sweep.py")


def main() -> None:
    folder = Path(__file__).parent
    for name in SCRIPTS:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, str(folder / name)], check=True)


if __name__ == "__main__":
    main()
