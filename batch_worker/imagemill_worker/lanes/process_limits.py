"""What one job and one picture may use of the machine."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# A picture that needs more is rejected; the recipe's pixel limit is reached at about half of it.
PICTURE_MEMORY_BYTES = 2 << 30
PICTURE_SECONDS = 60.0
# Without a sign of life from a lane: longer than a request may take (120 s), a pause of the weather
# (30 s) and a picture.
SILENT_SECONDS = 300.0
_SUPERVISOR_BYTES = 128 << 20

_METADATA = "ECS_CONTAINER_METADATA_URI_V4"
_CPU_UNITS = 1024  # of one vCPU, in ECS

# glibc gives each large array back to the system and faults its pages in anew for the next one,
# up to a quarter of the time of a full decode: keep them. A lane is one vCPU's worth: no pools.
LANE_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    "MALLOC_ARENA_MAX": "2",
    "OPENCV_FOR_THREADS_NUM": "1",
    "OPENCV_LOG_LEVEL": "OFF",
    "TOKIO_WORKER_THREADS": "1",
}


def limit_this_process() -> None:
    """Cap the process's memory, and offer it first where the machine runs out of it."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [PICTURE_MEMORY_BYTES, *_container_bytes()]
    if most != resource.RLIM_INFINITY:
        allowed.append(most)
    resource.setrlimit(resource.RLIMIT_DATA, (min(allowed), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _container_bytes() -> list[int]:
    """What the container leaves to a lane, where it has a limit: the supervisor needs the rest."""
    with suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        return [max(limit - _SUPERVISOR_BYTES, limit // 2)]
    return []


def allotted_vcpus(env: Mapping[str, str] = os.environ) -> int:
    """The vCPUs that ECS gave to this container; 1 where it does not say.

    The machine's own number of cores is no answer: other jobs run on it.
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
