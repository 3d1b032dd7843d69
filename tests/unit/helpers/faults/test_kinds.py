"""Each fault as a client sees it on its connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import IncompleteRead, RemoteDisconnected

import pytest

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
from tests.helpers.faults.memory_s3 import MemoryS3
from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.raw_client import RawClient
from tests.helpers.faults.requests import ALL, Operation
from tests.helpers.faults.rules import Fault

BODY = bytes(range(256)) * 1000
BROKEN_OFF = (ConnectionResetError, BrokenPipeError, RemoteDisconnected)


@pytest.fixture
def client(proxy: FaultProxy, s3: MemoryS3) -> Iterator[RawClient]:
    s3.objects["bucket", "a"] = BODY
    connection = RawClient(proxy.endpoint_url)
    yield connection
    connection.close()


def last(proxy: FaultProxy) -> tuple[int, int]:
    """What the client of the last request was told, and how often S3 was asked."""
    return proxy.records[-1].status, proxy.records[-1].forwarded


def test_throttle_answers_slow_down_for_its_time_and_s3_hears_of_nothing(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    now = [100.0]
    proxy.clock = lambda: now[0]
    rule = proxy.add(Throttle(seconds=0.3))
    for _ in range(20):
        status, body = client.get()
        assert (status, b"<Code>SlowDown</Code>" in body) == (503, True)
        now[0] += 0.014
    assert client.put("b", b"x") == 503
    assert (rule.count, s3.requests) == (21, 0)
    now[0] += 0.03
    assert client.get() == (200, BODY)
    assert rule.count == 21


def test_error_is_answered_for_the_keys_that_are_meant(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    proxy.add(ErrorAnswer(status=400, code="KMS.DisabledException", pattern="^a$"))
    proxy.add(ErrorAnswer(status=403, code="AccessDenied", message="No & no.", prefix="b/"))
    s3.objects["bucket", "c"] = b"fine"
    status, body = client.get("a")
    assert (status, b"<Code>KMS.DisabledException</Code>" in body) == (400, True)
    head = client.ask("HEAD", "b/1")
    assert (head.status, head.read()) == (403, b"")
    assert b"<Message>No &amp; no.</Message>" in client.get("b/1")[1]
    assert client.get("c") == (200, b"fine")


def test_reset_before_the_answer_is_unheard_of_by_s3(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    rule = proxy.add(Reset(first=2))
    with pytest.raises(ConnectionResetError):
        client.get()
    client.close()
    with pytest.raises(BROKEN_OFF):
        client.put("b", BODY)
    assert (s3.requests, last(proxy)) == (0, (0, 0))
    client.close()
    assert client.put("b", BODY) == 200
    assert rule.keys == {"a", "b"}


def test_reset_within_the_answer_leaves_half_a_body(proxy: FaultProxy, client: RawClient) -> None:
    proxy.add(Reset(moment=Moment.WITHIN, first=1))
    answer = client.ask("GET", "a")
    assert (answer.status, answer.length) == (200, len(BODY))
    with pytest.raises((ConnectionResetError, IncompleteRead)):
        answer.read()
    client.close()
    assert client.get() == (200, BODY)


def test_reset_within_an_answer_without_a_body_leaves_half_a_head(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    proxy.add(Reset(moment=Moment.WITHIN, first=1))
    with pytest.raises(ConnectionResetError):
        client.put("b", b"x")
    assert s3.objects["bucket", "b"] == b"x"


def test_reset_after_the_answer_ends_the_kept_connection(
    proxy: FaultProxy, client: RawClient
) -> None:
    proxy.add(Reset(moment=Moment.AFTER, first=1))
    answer = client.ask("GET", "a")
    assert answer.getheader("Connection") is None
    assert answer.read() == BODY
    assert client.sock, "the client knows of no end"
    with pytest.raises(BROKEN_OFF):
        client.get()


def test_lost_answer_is_of_a_write_that_was_done(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    proxy.add(LoseAnswer(first=1))
    assert client.get() == (200, BODY)
    with pytest.raises(BROKEN_OFF):
        client.put("b", b"written")
    assert s3.objects["bucket", "b"] == b"written"
    assert last(proxy) == (0, 1)


def test_duplicate_is_written_twice_and_the_second_answer_counts(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    proxy.add(Duplicate())
    assert client.put("b", b"x") == 200
    assert s3.requests == 2
    assert client.put("c", b"x", If_None_Match="*") == 412
    assert last(proxy) == (412, 2)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_truncated_body_is_shorter_than_its_length_says(
    proxy: FaultProxy, client: RawClient, share: float
) -> None:
    proxy.add(Truncate(share=share, first=1))
    with pytest.raises(IncompleteRead) as caught:
        client.get()
    assert caught.value.partial == BODY[: int(len(BODY) * share)]


def test_truncated_body_that_is_admitted_seems_whole(proxy: FaultProxy, client: RawClient) -> None:
    proxy.add(Truncate(is_admitted=True, first=1))
    assert client.get() == (200, BODY[: len(BODY) // 2])
    kept = client.sock
    assert client.get() == (200, BODY)
    assert client.sock is kept


def test_flipped_bits_are_as_many_as_are_asked_for_and_the_same_for_a_seed(
    proxy: FaultProxy, s3: MemoryS3, client: RawClient
) -> None:
    proxy.add(FlipBits(bits=3, first=1))
    status, body = client.get()
    number = int.from_bytes(body) ^ int.from_bytes(BODY)
    assert (status, len(body), number.bit_count()) == (200, len(BODY), 3)
    with FaultProxy(s3.endpoint_url, seed=7) as same:
        same.add(FlipBits(bits=3))
        other = RawClient(same.endpoint_url)
        assert other.get() == (200, body)
        other.close()
    s3.objects["bucket", "empty"] = b""
    proxy.add(FlipBits())
    assert client.get("empty") == (200, b"")


@pytest.mark.parametrize("moment", Moment)
def test_stalled_answer_is_late_and_whole(
    proxy: FaultProxy, client: RawClient, moment: Moment
) -> None:
    stall = Stall(moment=moment)
    proxy.add(stall)
    if moment is Moment.BEFORE:  # nothing comes at all before the stall has ended
        threading.Timer(0.2, stall.released.set).start()
    answer = client.ask("GET", "a")
    assert stall.released.is_set() == (moment is Moment.BEFORE)
    if moment is not Moment.BEFORE:
        threading.Timer(0.2, stall.released.set).start()
    assert answer.read() == BODY
    assert stall.released.is_set()


def test_stall_ends_by_itself(proxy: FaultProxy, client: RawClient) -> None:
    proxy.add(Stall(hold_seconds=0.2))
    began = time.monotonic()
    assert client.get() == (200, BODY)
    assert time.monotonic() - began >= 0.2


def test_oldest_rule_acts_alone_until_it_is_removed(proxy: FaultProxy, client: RawClient) -> None:
    throttled = proxy.add(Throttle())
    denied = proxy.add(ErrorAnswer(status=403, code="AccessDenied"))
    assert client.get()[0] == 503
    proxy.remove(throttled)
    assert client.get()[0] == 403
    proxy.remove()
    assert client.get()[0] == 200
    assert (throttled.count, denied.count) == (1, 1)
    assert (proxy.totals[Operation.GET], proxy.count(Operation.GET, "a")) == (3, 3)
    assert proxy.count(Operation.GET, "a", bucket="other") == 0


@pytest.mark.parametrize("fault", [Reset(), LoseAnswer(), Truncate(operations=ALL), Throttle()])
def test_fault_is_on_record(proxy: FaultProxy, client: RawClient, fault: Fault) -> None:
    proxy.add(fault)
    with suppress(*BROKEN_OFF, IncompleteRead):
        client.put("b", b"x")
    record = proxy.records[-1]
    assert (record.operation, record.key, record.fault) == (Operation.PUT, "b", fault)
