"""What one job and one picture may use of the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from imagemill_worker.lanes.process_limits import PICTURE_MEMORY_BYTES, allotted_vcpus
from tests.helpers.jobs import ROOT

LIMITED = """
import json, resource, sys
most = int(sys.argv[1])
if most:
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
from imagemill_worker.lanes.process_limits import limit_this_process
limit_this_process()
score = open("/proc/self/oom_score_adj").read()
data, core = resource.getrlimit(resource.RLIMIT_DATA), resource.getrlimit(resource.RLIMIT_CORE)
try:
    bytearray(3 << 30)
    has_room = True
except MemoryError:
    has_room = False
print(json.dumps([data[0], core, int(score), has_room]))
"""


class Metadata(BaseHTTPRequestHandler):
    """What ECS tells a container of itself."""

    body: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v4"
        server.shutdown()


@pytest.mark.parametrize(
    ("told", "vcpus"),
    [
        ({"Limits": {"CPU": 4096}}, 4),
        ({"Limits": {"CPU": 1024.0}}, 1),
        ({"Limits": {"CPU": 256}}, 1),
        ({"Limits": {"CPU": "many"}}, 1),
        ({"Limits": {}}, 1),
        ({"Limits": None}, 1),
        ([], 1),
    ],
)
def test_vcpus_are_those_that_the_container_has(
    address: str, monkeypatch: pytest.MonkeyPatch, told: object, vcpus: int
) -> None:
    monkeypatch.setattr(Metadata, "body", json.dumps(told).encode())
    assert allotted_vcpus({"ECS_CONTAINER_METADATA_URI_V4": address}) == vcpus


def test_job_that_is_told_nothing_has_one_vcpu(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allotted_vcpus({}) == 1
    assert allotted_vcpus({"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:9/nobody"}) == 1
    monkeypatch.setattr(Metadata, "body", b"no JSON")
    assert allotted_vcpus({"ECS_CONTAINER_METADATA_URI_V4": address}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("most_before", [0, 1 << 30])
def test_process_has_no_more_memory_than_one_picture_may_take(most_before: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(most_before)],
        env={"PYTHONPATH": str(ROOT / "batch_worker")},
        capture_output=True,
        check=True,
    )
    limit, core, score, has_room = json.loads(done.stdout)
    assert limit <= (most_before or PICTURE_MEMORY_BYTES)
    assert limit > 0
    assert core == [0, 0]
    assert score == 1000  # the first to go where the machine runs out of memory
    assert not has_room
