"""A dataset shard in a bucket is there as a whole or not at all, however its job ends."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from imagemill_contract import keys
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import ImageFormat
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.codecs.encode import encoded
from tests.helpers.faults.kinds import FlipBits, Stall
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import READS, Operation
from tests.helpers.s3_jobs import SHARD, S3Jobs, client_of
from tests.helpers.waiting import until

PICTURES = 8
SIDE = 900  # together more than one part of an upload
PART_BYTES = 16 << 20


@pytest.fixture(scope="module")
def resized(s3: MemoryS3) -> dict[tuple[str, str], bytes]:
    """Objects that the resize job has left, by bucket and key."""
    jobs = S3Jobs(client_of(s3.endpoint_url, CREDENTIALS), s3.endpoint_url, CREDENTIALS)
    for number, body in enumerate(noise()):
        jobs.put(f"{number}.jpg", body)
    jobs.plan(mode="no", quality=100, output="webdataset")
    assert jobs.run("resize").code == 0
    return dict(s3.objects)


@pytest.fixture
def jobs(s3: MemoryS3, proxy: FaultProxy, resized: dict[tuple[str, str], bytes]) -> S3Jobs:
    s3.objects.clear()
    s3.objects.update(resized)
    return S3Jobs(client_of(s3.endpoint_url, CREDENTIALS), proxy.endpoint_url, CREDENTIALS)


def noise() -> list[bytes]:
    """Pictures that no format makes small."""
    draw = np.random.default_rng(1)
    pictures = [draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(PICTURES)]
    return [encoded(picture, ImageFormat.JPG, 100) for picture in pictures]


def digests(jobs: S3Jobs) -> dict[str, str]:
    """Of all dataset shards, by key."""
    files = jobs.files(keys.DATASET)
    return {
        f"{keys.DATASET}{name}": hashlib.sha256(body).hexdigest() for name, body in files.items()
    }


def shard_of(jobs: S3Jobs) -> tuple[DatasetShard, list[int | None]]:
    """The only dataset shard as its outcome document has it, and the positions in it."""
    body = jobs.body(keys.outcome_key(jobs.run_id, Stage.EDGE, SHARD))
    header, rows = decode_outcomes(body)
    shards: Any = header["shards"]
    (row,) = shards
    return DatasetShard.from_row(row), [outcome.position for outcome in rows]


def killed_at(jobs: S3Jobs, proxy: FaultProxy, **asked: Any) -> None:
    """Kill the edge job while it waits for the answer to a request about its dataset shard."""
    stall = Stall(prefix=jobs.output.prefix + keys.DATASET, first=1, **asked)
    rule = proxy.add(stall)
    process = jobs.start("edge")
    until(lambda: rule.count or process.poll() is not None, "the upload is under way")
    assert process.poll() is None, "the job ended before its upload"
    process.kill()
    process.wait()
    stall.released.set()
    proxy.remove(rule)


@pytest.mark.parametrize("part", [1, 2])
def test_job_killed_within_an_upload_shows_no_shard_and_its_retry_the_same_one(
    jobs: S3Jobs, proxy: FaultProxy, part: int
) -> None:
    killed_at(jobs, proxy, operations={Operation.PUT_PART}, skip=part - 1)
    assert digests(jobs) == {}

    assert jobs.run("edge").code == 0
    retried = digests(jobs)
    shard, positions = shard_of(jobs)
    assert retried == {shard.key: shard.sha256}
    assert shard.bytes > PART_BYTES, "no upload of several parts"
    assert positions == list(range(PICTURES))


def test_job_killed_before_it_hears_that_its_upload_is_complete_has_written_the_whole_shard(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    killed_at(jobs, proxy, operations={Operation.COMPLETE_UPLOAD})
    written = digests(jobs)
    assert len(written) == 1
    assert jobs.run("edge").code == 0
    shard, _ = shard_of(jobs)
    assert digests(jobs) == written == {shard.key: shard.sha256}


def test_intermediate_shard_that_comes_damaged_is_fetched_again(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    prefix = jobs.output.prefix + keys.INTERMEDIATE
    flips = proxy.add(FlipBits(prefix=prefix, operations=READS, first=1, bits=200_000))
    assert jobs.run("edge").code == 0
    assert flips.count == 1
    shard, _ = shard_of(jobs)
    assert digests(jobs) == {shard.key: shard.sha256}
