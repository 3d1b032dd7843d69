"""Jobs whose S3 fails now and then: faults that pass leave no trace in what is written."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from imagemill_contract.documents import decode_outcomes, encode_journal
from imagemill_contract.keys import Stage, journal_key, outcome_key, stages_of
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Recipe
from tests.helpers.faults.kinds import (
    Duplicate,
    ErrorAnswer,
    FlipBits,
    LoseAnswer,
    Moment,
    Reset,
    Stall,
    Throttle,
    Truncate,
)
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.requests import READS, Operation
from tests.helpers.faults.rules import Fault
from tests.helpers.pictures import jpeg
from tests.helpers.s3_jobs import SHARD, S3Jobs, client_of

PICTURES = 12


@pytest.fixture(scope="module")
def s3() -> Iterator[MemoryS3]:
    with MemoryS3() as running:
        yield running


@pytest.fixture
def proxy(s3: MemoryS3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint_url, seed=7) as running:
        yield running
        assert running.upstream_errors == []


@pytest.fixture
def jobs(s3: MemoryS3, proxy: FaultProxy) -> S3Jobs:
    return planned(s3, proxy)


def planned(s3: MemoryS3, proxy: FaultProxy) -> S3Jobs:
    s3.objects.clear()
    jobs = S3Jobs(client_of(s3.endpoint_url, CREDENTIALS), proxy.endpoint_url, CREDENTIALS)
    for number in range(PICTURES):
        jobs.put(f"{number}.jpg", jpeg(96 + number, 64))
    jobs.plan(size=32)
    return jobs


def results(jobs: S3Jobs) -> dict[str, object]:
    """All that the jobs of both stages have written, but for what they say of time and weather."""
    for stage in stages_of(Recipe()):
        ended = jobs.run(stage)
        assert (ended.code, ended.errors) == (0, "")
    return {key: without_weather(key, body) for key, body in jobs.files("").items()}


def without_weather(key: str, body: bytes) -> object:
    if "/usage/" in key:
        return None  # seconds differ, and requests that are repeated are counted
    if "/outcomes/" not in key:
        return body
    header, rows = decode_outcomes(body)
    header.pop("throttled", None)
    header.pop("waited_seconds", None)
    return header, rows


def weather(jobs: S3Jobs) -> list[dict[str, object]]:
    """What the headers of the outcome documents say of it, stage by stage."""
    headers = [
        decode_outcomes(body)[0] for key, body in jobs.files("").items() if "/outcomes/" in key
    ]
    names = ("throttled", "waited_seconds")
    return [{name: header[name] for name in names if name in header} for header in headers]


@pytest.fixture(scope="module")
def unharmed(s3: MemoryS3) -> dict[str, object]:
    """What is written when nothing fails."""
    with FaultProxy(s3.endpoint_url) as proxy:
        jobs = planned(s3, proxy)
        written = results(jobs)
        assert weather(jobs) == [{}, {}]
        assert jobs.reasons("resize") == jobs.reasons("edge") == {}
        assert len(jobs.files("resized/")) == len(jobs.files("edges/")) == PICTURES
    return written


@pytest.mark.parametrize(
    "fault",
    [
        Throttle(first=3),
        Throttle(probability=0.2),
        ErrorAnswer(status=500, code="InternalError", first=1, each_key=True),
        Reset(first=1, each_key=True),
        Reset(operations=READS, moment=Moment.WITHIN, first=1, each_key=True),
        Reset(moment=Moment.AFTER, every=3),
        LoseAnswer(first=1, each_key=True),
        Truncate(first=1, each_key=True),
        Duplicate(),
        Stall(hold_seconds=0.3, every=4),
    ],
    ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'moment', '')}",
)
def test_fault_that_passes_leaves_no_trace(
    unharmed: dict[str, object], jobs: S3Jobs, proxy: FaultProxy, fault: Fault
) -> None:
    rule = proxy.add(fault)
    assert results(jobs) == unharmed
    assert rule.count >= 3


def test_each_picture_whose_first_answer_breaks_off_is_asked_for_twice(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    rule = proxy.add(Reset(operations=READS, prefix=jobs.source.prefix, first=1, each_key=True))
    assert jobs.run("resize").code == 0
    names = [f"{jobs.source.prefix}{number}.jpg" for number in range(PICTURES)]
    assert rule.keys == set(names)
    assert [proxy.count(Operation.GET, name) for name in names] == [2] * PICTURES


def test_result_whose_acknowledgement_is_lost_is_written_again(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    lost = proxy.add(LoseAnswer(pattern=r"resized/|outcomes/", first=1, each_key=True))
    assert jobs.run("resize").code == 0
    results = {f"{jobs.output.prefix}resized/{number}.jpg" for number in range(PICTURES)}
    outcomes = jobs.output.prefix + outcome_key(jobs.run_id, Stage.RESIZE, SHARD)
    assert lost.keys == {outcomes, *results}
    assert [proxy.count(Operation.PUT, key) for key in lost.keys] == [2] * (PICTURES + 1)


def test_job_waits_for_an_answer_that_is_late(jobs: S3Jobs, proxy: FaultProxy) -> None:
    stalled = proxy.add(Stall(hold_seconds=2, pattern=r"/3\.jpg$", operations=READS))
    began = time.monotonic()
    assert jobs.run("resize").code == 0
    assert time.monotonic() - began >= 2
    assert (stalled.count, jobs.reasons("resize")) == (1, {})


def test_picture_that_the_job_may_not_read_fails_alone(jobs: S3Jobs, proxy: FaultProxy) -> None:
    proxy.add(ErrorAnswer(status=403, code="AccessDenied", pattern=r"in/[35]\.jpg$"))
    assert jobs.run("resize").code == 0
    assert jobs.reasons("resize") == {"3.jpg": "access_denied", "5.jpg": "access_denied"}
    assert len(jobs.files("resized/")) == PICTURES - 2


def test_one_object_that_always_fails_costs_no_other(jobs: S3Jobs, proxy: FaultProxy) -> None:
    proxy.add(ErrorAnswer(status=500, code="InternalError", pattern=r"in/3\.jpg$"))
    proxy.add(ErrorAnswer(status=400, code="KMS.DisabledException", pattern=r"in/5\.jpg$"))
    proxy.add(Reset(pattern=r"in/7\.jpg$"))
    assert jobs.run("resize").code == 0
    rows = {row.key.rpartition("/")[2]: row for row in jobs.outcomes("resize") if row.reason}
    assert {name: (row.status, row.reason) for name, row in rows.items()} == dict.fromkeys(
        ("3.jpg", "5.jpg", "7.jpg"), ("failed", "store_error")
    )
    assert "InternalError" in rows["3.jpg"].detail
    assert "KMS.DisabledException" in rows["5.jpg"].detail
    assert jobs.run("edge").code == 0
    assert len(jobs.files("edges/")) == PICTURES - 3


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (403, "AccessDenied")])
def test_a_journal_that_cannot_be_read_costs_only_what_it_would_have_saved(
    jobs: S3Jobs, proxy: FaultProxy, status: int, code: str
) -> None:
    for page in range(5):
        key = journal_key(jobs.run_id, Stage.RESIZE, SHARD, f"{page:06d}-from-an-earlier-attempt")
        body = encode_journal({}, [Outcome(f"{jobs.source.prefix}{page}.jpg", Status.WRITTEN)])
        jobs.s3.put_object(Bucket=jobs.bucket, Key=jobs.output.prefix + key, Body=body)
    proxy.add(ErrorAnswer(status=status, code=code, pattern=r"journal/.*\.gz$"))
    ended = jobs.run("resize", STORE_PATIENCE_SECONDS="200")
    assert (ended.code, ended.errors) == (0, "")
    assert len(jobs.files("resized/")) == PICTURES


def test_a_result_that_can_never_be_written_costs_no_other(jobs: S3Jobs, proxy: FaultProxy) -> None:
    proxy.add(ErrorAnswer(status=400, code="InvalidRequest", pattern=r"resized/3\.jpg$"))
    assert jobs.run("resize").code == 0
    assert jobs.reasons("resize") == {"3.jpg": "store_error"}


def test_a_result_that_may_not_be_written_costs_no_other_even_if_it_is_the_first(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    proxy.add(ErrorAnswer(status=403, code="AccessDenied", pattern=r"resized/0\.jpg$"))
    assert jobs.run("resize", "--threads", "1").code == 0
    assert jobs.reasons("resize") == {"0.jpg": "access_denied"}


def test_a_job_that_may_write_no_result_ends_for_good(jobs: S3Jobs, proxy: FaultProxy) -> None:
    proxy.add(ErrorAnswer(status=403, code="AccessDenied", pattern=r"resized/"))
    ended = jobs.run("resize")
    assert (ended.code, "may not write" in ended.errors) == (1, True)


def test_a_bad_quarter_of_a_minute_costs_a_quarter_of_a_minute(
    unharmed: dict[str, object], jobs: S3Jobs, proxy: FaultProxy
) -> None:
    proxy.add(Throttle(seconds=15, after_seconds=0.0, skip=2))  # in the midst of the resize job
    assert results(jobs) == unharmed
    edge, resize = weather(jobs)
    assert int(str(resize["throttled"])) > 10
    assert float(str(resize["waited_seconds"])) > 10
    assert edge == {}


def test_a_store_that_stays_down_ends_the_attempt_with_a_sentence(
    jobs: S3Jobs, proxy: FaultProxy
) -> None:
    proxy.add(Throttle(pattern=r"/in/"))
    ended = jobs.run("resize", STORE_PATIENCE_SECONDS="3")
    assert ended.code == 75
    assert "nothing but faults for" in ended.errors
    assert "SlowDown" in ended.errors


def test_resized_pictures_that_come_damaged_are_never_taken_for_good(
    unharmed: dict[str, object], jobs: S3Jobs, proxy: FaultProxy
) -> None:
    assert jobs.run("resize").code == 0
    flips = proxy.add(FlipBits(pattern=r"resized/", operations=READS, first=1, each_key=True))
    assert results(jobs) == unharmed
    assert flips.count == PICTURES


def test_a_resized_picture_that_stays_damaged_is_a_failure(jobs: S3Jobs, proxy: FaultProxy) -> None:
    assert jobs.run("resize").code == 0
    proxy.add(FlipBits(pattern=r"resized/3\.jpg", operations=READS))
    proxy.add(Truncate(pattern=r"resized/5\.jpg", operations=READS, is_admitted=True))
    assert jobs.run("edge").code == 0
    rows = {row.key.rpartition("/")[2]: row for row in jobs.outcomes("edge") if row.reason}
    assert {name: (row.status, row.reason) for name, row in rows.items()} == {
        "3.jpg": ("failed", "damaged"),
        "5.jpg": ("failed", "damaged"),
    }


def test_documents_that_come_damaged_are_read_again(
    unharmed: dict[str, object], jobs: S3Jobs, proxy: FaultProxy
) -> None:
    documents = r"/(shards|outcomes)/"
    flips = proxy.add(FlipBits(pattern=documents, operations=READS, first=1, each_key=True, bits=9))
    assert results(jobs) == unharmed
    assert flips.count == 2  # of the shard, and of what the resize job has left
