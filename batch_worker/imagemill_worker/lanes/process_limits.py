"""Limits on what a job and a picture may use of the machine."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# A picture that needs more is rejected. One at the recipe's pixel limit needs about half of it.
PICTURE_MEMORY_BYTES = 2 << 30
PICTURE_SECONDS = 60.0
# Without a sign of life from a lane: longer than a request may take (120 s), a pause of the weather
# (30 s) and a picture.
SILENT_SECONDS = 300.0
_SUPERVISOR_BYTES = 128 << 20

_METADATA = "ECS_CONTAINER_METADATA_URI_V4"
_CPU_UNITS = 1024  # of one vCPU, in ECS

# glibc would return each large array to the system and fault its pages in again for the next one,
# which takes up to a quarter of a full decode. A lane uses one vCPU, so it needs no thread pools.
LANE_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "OPENCV_LOG_LEVEL": "OFF",
    "TOKIO_WORKER_THREADS": "1",
}


def limit_this_process() -> None:
    """Cap this process's memory, and let it be killed first if the machine runs out of memory."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [PICTURE_MEMORY_BYTES, *_container_bytes()]
    if most != resource.RLIM_INFINITY:
        allowed.append(most)
    resource.setrlimit(resource.RLIMIT_DATA, (min(allowed), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _container_bytes() -> list[int]:
    """What the container's memory limit, if any, leaves for a lane beside the supervisor."""
    with suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        return [max(limit - _SUPERVISOR_BYTES, limit // 2)]
    return []


def allotted_vcpus(env: Mapping[str, str] = os.environ) -> int:
    """The vCPUs that ECS gave to this container; 1 if it does not say.

    The machine's number of cores is no answer, because other jobs run on it, too.
    """
    address = env.get(_METADATA)
    if not address:
        return 1
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 # ECS's own address
            units = int(json.load(answer)["Limits"]["CPU"])
    except (OSError, ValueError, LookupError, TypeError):
        return 1
    return max(1, units // _CPU_UNITS)
