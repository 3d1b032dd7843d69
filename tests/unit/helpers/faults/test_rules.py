"""Which requests a fault is injected into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.faults.kinds import Throttle
from tests.helpers.faults.messages import Body, Head
from tests.helpers.faults.requests import Operation, Request
from tests.helpers.faults.rules import Fault, Rule

SIGNED = ("Authorization", "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{}/aws4_request, x")


def request(method: str, target: str, service: str = "s3", body: bytes = b"") -> Request:
    name, value = SIGNED
    head = Head(f"{method} {target} HTTP/1.1", ((name, value.format(service)),))
    return Request.of(head, Body(body, body))


def get(key: str) -> Request:
    return request("GET", f"/bucket/{key}")


def harmed(fault: Fault, requests: list[Request], seed: str = "7", step: float = 1.0) -> list[int]:
    """Places of the requests that the fault is injected into; they come `step` seconds apart."""
    rule = Rule(fault, seed)
    places = [at for at, asked in enumerate(requests) if rule.draw(asked, 100 + at * step)]
    assert rule.count == len(places)
    return places


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/b/a.jpg", Operation.GET),
        ("GET", "/b/a.jpg?versionId=1", Operation.GET),
        ("GET", "/b/a.jpg?tagging", Operation.OTHER),
        ("HEAD", "/b/a.jpg", Operation.HEAD),
        ("PUT", "/b/a.jpg", Operation.PUT),
        ("PUT", "/b/a.jpg?x-id=PutObject", Operation.PUT),
        ("PUT", "/b/a.jpg?partNumber=1&uploadId=u", Operation.PUT_PART),
        ("POST", "/b/a.jpg?uploads", Operation.CREATE_UPLOAD),
        ("POST", "/b/a.jpg?uploadId=u", Operation.COMPLETE_UPLOAD),
        ("DELETE", "/b/a.jpg?uploadId=u", Operation.ABORT_UPLOAD),
        ("DELETE", "/b/a.jpg", Operation.DELETE),
        ("POST", "/b?delete", Operation.DELETE_MANY),
        ("GET", "/b?list-type=2&prefix=a", Operation.LIST),
        ("GET", "/b/", Operation.LIST),
        ("GET", "/b?notification", Operation.OTHER),
        ("PUT", "/b", Operation.OTHER),
        ("GET", "/", Operation.OTHER),
    ],
)
def test_operation_is_told_from_method_and_address(
    method: str, target: str, operation: Operation
) -> None:
    assert request(method, target).operation is operation


def test_key_is_decoded_and_other_services_are_no_s3() -> None:
    asked = get("a%20b%2B%C3%BC/%25?versionId=3")
    assert (asked.bucket, asked.key, asked.query) == ("bucket", "a b+ü/%", {"versionId": "3"})
    assert request("POST", "/queue/name", "sqs").operation is Operation.OTHER
    assert harmed(Throttle(), [request("GET", "/queue/name", "sqs"), get("a")]) == [1]


def test_keys_buckets_and_operations_choose() -> None:
    asked = [get("in/1.jpg"), get("out/1.jpg"), get("in/2.png"), request("PUT", "/other/in/1.jpg")]
    assert harmed(Throttle(prefix="in/"), asked) == [0, 2, 3]
    assert harmed(Throttle(pattern=r"\.jpg$"), asked) == [0, 1, 3]
    assert harmed(Throttle(bucket="other"), asked) == [3]
    assert harmed(Throttle(operations={Operation.GET}, prefix="in/"), asked) == [0, 2]


def test_counts_choose() -> None:
    asked = [get(str(number % 2)) for number in range(10)]
    assert harmed(Throttle(first=3), asked) == [0, 1, 2]
    assert harmed(Throttle(skip=4), asked) == [4, 5, 6, 7, 8, 9]
    assert harmed(Throttle(every=4), asked) == [0, 4, 8]
    assert harmed(Throttle(skip=1, every=4, first=2), asked) == [1, 5]
    assert harmed(Throttle(first=2, each_key=True), asked) == [0, 1, 2, 3]
    assert harmed(Throttle(skip=1, first=1, each_key=True), asked) == [2, 3]


def test_window_begins_with_the_first_request_that_is_meant() -> None:
    asked = [get("other")] * 5 + [get("a")] * 10
    assert harmed(Throttle(prefix="a", seconds=3), asked) == [5, 6, 7]
    assert harmed(Throttle(prefix="a", after_seconds=2, seconds=4), asked) == [7, 8, 9, 10]


def test_lot_is_the_seeds_and_not_the_order_of_arrivals() -> None:
    fault = Throttle(probability=0.3)
    asked = [get(f"{number}.jpg") for number in range(400)]
    places = harmed(fault, asked)
    assert 80 < len(places) < 160
    backwards = harmed(fault, asked[::-1])
    assert sorted(399 - place for place in backwards) == places
    assert harmed(fault, asked, seed="8") != places
    again = harmed(fault, asked * 2)
    assert [place for place in again if place < 400] == places
    assert [place - 400 for place in again if place >= 400] != places  # a retry draws anew
    assert harmed(replace(fault, probability=0.0), asked) == []
