"""Jobs say what they have used; requests are those that S3 has seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from imagemill_contract.keys import Stage, stages_of, usage_key
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.usage import Usage
from imagemill_worker.meter import Meter
from imagemill_worker.progress import Progress
from imagemill_worker.stores.opening import open_store
from tests.helpers.faults.kinds import Throttle
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import Operation
from tests.helpers.pictures import jpeg
from tests.helpers.priced import priced
from tests.helpers.s3_jobs import SHARD, S3Jobs, client_of

PICTURES = 7


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with MemoryS3() as s3, FaultProxy() as proxy:
        proxy.upstream = s3.endpoint_url
        yield proxy


def jobs_of(proxy: FaultProxy) -> S3Jobs:
    """Jobs over some pictures. The test's own client goes past the proxy."""
    jobs = S3Jobs(client_of(proxy.upstream, CREDENTIALS), proxy.endpoint_url, CREDENTIALS)
    for number in range(PICTURES):
        jobs.put(f"{number}.jpg", jpeg(90 + number, 60))
    return jobs


def usage_of(jobs: S3Jobs, stage: Stage) -> Usage:
    return Usage.decode(jobs.body(usage_key(jobs.run_id, stage, SHARD)))


@pytest.mark.parametrize("output", ["files", "webdataset"])
def test_a_job_counts_the_requests_that_s3_sees(proxy: FaultProxy, output: str) -> None:
    jobs = jobs_of(proxy)
    jobs.plan(size=16, output=output)
    for stage in stages_of(Recipe()):
        proxy.records.clear()
        assert jobs.run(stage, "--vcpus", "2").code == 0
        assert usage_of(jobs, stage).requests == priced(proxy)


def test_requests_that_fail_are_counted_too(proxy: FaultProxy) -> None:
    jobs = jobs_of(proxy)
    jobs.plan(size=16)
    proxy.add(Throttle(operations=frozenset({Operation.GET}), first=3))
    assert jobs.run("resize").code == 0
    assert usage_of(jobs, Stage.RESIZE).requests == priced(proxy)


def test_time_is_that_of_all_vcpus_and_bytes_are_those_of_the_sources(proxy: FaultProxy) -> None:
    jobs = jobs_of(proxy)
    shard = jobs.plan(size=16)
    assert jobs.run("resize", "--vcpus", "2").code == 0
    usage = usage_of(jobs, Stage.RESIZE)
    assert usage.attempts == 1
    assert usage.vcpu_seconds == pytest.approx(2 * usage.seconds, rel=0.01)
    assert 0 < usage.cpu_seconds < usage.vcpu_seconds + 0.5
    assert usage.read_bytes == shard.total_bytes
    assert usage.ended - usage.began == pytest.approx(usage.seconds, abs=0.01)


def test_a_later_attempt_adds_what_earlier_ones_have_used(proxy: FaultProxy) -> None:
    jobs = jobs_of(proxy)
    jobs.plan(size=16)
    held = proxy.add(Throttle(operations=frozenset({Operation.PUT}), pattern="resized/"))
    assert jobs.run("resize", STORE_PATIENCE_SECONDS="1").code == 75
    proxy.remove(held)
    assert jobs.run("resize").code == 0
    usage = usage_of(jobs, Stage.RESIZE)
    assert usage.attempts == 2
    assert usage.seconds > 1


def test_requests_to_folders_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    output = open_store(Location.of_folder(PurePosixPath(tmp_path)))
    output.write_document("a", b"a")
    assert Meter(2, output, Progress({}, 0)).usage().requests == {}
