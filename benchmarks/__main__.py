"""Run all benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import importlib
import sys

NAMES = ("decode_resize", "fidelity", "s3_job", "edge_stage", "start", "vcpus", "memory")


def main() -> None:
    sys.argv = sys.argv[:1]
    for name in NAMES:
        print(f"\n## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
