"""`make bench`: runs the benchmarks that need nothing but this checkout, one after the other."""

from __future__ import annotations

import subprocess
import sys

SCRIPTS = ("upload_burst", "listing", "partition_sweep")


def main() -> None:
    for name in SCRIPTS:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
