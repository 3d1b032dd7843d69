"""Does the memory of a job stay flat? Many photographs of up to 12 megapixels, 32 threads.

`python -m benchmarks.memory [OBJECTS]`; the default is 20,000 objects.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.s3_job import Server, put_shard, worker_environment

SAMPLES = 24


def resident_mib(process_id: int) -> float:
    """Resident memory of a process and its children; shared memory is counted twice."""
    ids = [process_id]
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    ids += map(int, children.read_text().split())
    return sum(_resident_kib(number) for number in ids) / 1024


def _resident_kib(process_id: int) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    server = Server(wait_seconds=0.060)
    shard = put_shard(server.endpoint, objects)
    command = [sys.executable, "-m", "imagemill_worker", "resize", "--shard", shard]
    samples: list[tuple[float, float]] = []
    began = time.monotonic()
    with subprocess.Popen(
        command, env=worker_environment(server), stdout=subprocess.DEVNULL
    ) as job:
        while job.poll() is None:
            time.sleep(0.5)
            try:
                samples.append((time.monotonic() - began, resident_mib(job.pid)))
            except (FileNotFoundError, ProcessLookupError):
                break
    server.process.kill()
    print(f"{objects} objects, exit code {job.returncode}; parent and lane, MiB\n")
    step = max(1, len(samples) // SAMPLES)
    for seconds, mib in samples[::step]:
        print(f"{seconds:6.0f} s {mib:5.0f} " + "#" * int(mib / 8))
    print(f"\nmost: {max(mib for _, mib in samples):.0f} MiB")


if __name__ == "__main__":
    main()
