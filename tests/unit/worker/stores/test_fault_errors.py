"""Who is at fault for a fault: the object, the attempt, or what the job may do at all."""

from __future__ import annotations

import pytest

from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import PictureError, StoreRefusedError, TryAgainError
from imagemill_worker.stores.evidence import MOST_REFUSED_IN_A_ROW, Evidence
from imagemill_worker.stores.fault_errors import job_error, read_error, write_error
from imagemill_worker.stores.faults import FaultKind, StoreFault


def fault(kind: FaultKind, code: str = "Some") -> StoreFault:
    return StoreFault(kind, code, f"The store answers {code}.")


def verdict(error: Exception) -> tuple[str, Status]:
    assert isinstance(error, PictureError)
    assert error.detail.endswith(".")
    return str(error.reason), error.status


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        (FaultKind.GONE, Reason.GONE, Status.REJECTED),
        (FaultKind.CHANGED, Reason.CHANGED, Status.REJECTED),
        (FaultKind.NAME, Reason.UNREADABLE_KEY, Status.REJECTED),
        (FaultKind.DENIED, Reason.ACCESS_DENIED, Status.FAILED),
        (FaultKind.REFUSED, Reason.STORE_ERROR, Status.FAILED),
        (FaultKind.PASSING, Reason.STORE_ERROR, Status.FAILED),
    ],
)
def test_object_that_cannot_be_read_has_a_reason(
    kind: FaultKind, reason: Reason, status: Status
) -> None:
    assert verdict(read_error(fault(kind), "a.jpg", Evidence())) == (reason, status)


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        (FaultKind.NAME, Reason.UNREADABLE_KEY, Status.REJECTED),
        (FaultKind.CLASH, Reason.KEY_COLLISION, Status.REJECTED),
        (FaultKind.REFUSED, Reason.STORE_ERROR, Status.FAILED),
        (FaultKind.PASSING, Reason.STORE_ERROR, Status.FAILED),
    ],
)
def test_result_that_cannot_be_written_has_a_reason(
    kind: FaultKind, reason: Reason, status: Status
) -> None:
    assert verdict(write_error(fault(kind), "a.jpg", Evidence())) == (reason, status)


def test_right_to_write_that_others_have_is_missing_for_one_object_only() -> None:
    evidence = Evidence()
    evidence.add_success("b")
    for number in range(MOST_REFUSED_IN_A_ROW + 1):
        assert verdict(write_error(fault(FaultKind.DENIED), f"{number}", evidence)) == (
            Reason.ACCESS_DENIED,
            Status.FAILED,
        )


def test_right_to_write_is_missing_for_all_when_no_object_after_the_other_has_it() -> None:
    evidence = Evidence()
    errors = [
        write_error(fault(FaultKind.DENIED), f"{number}", evidence)
        for number in range(MOST_REFUSED_IN_A_ROW)
    ]
    assert [isinstance(error, StoreRefusedError) for error in errors] == [
        *[False] * (MOST_REFUSED_IN_A_ROW - 1),
        True,
    ]
    assert {verdict(error) for error in errors[:-1]} == {(Reason.ACCESS_DENIED, Status.FAILED)}


@pytest.mark.parametrize("error_of", [read_error, write_error])
def test_fault_of_all_is_no_objects_fault(error_of: type) -> None:
    error = error_of(fault(FaultKind.OF_ALL, "ExpiredToken"), "a.jpg", Evidence())
    assert isinstance(error, TryAgainError)
    assert "'a.jpg': The store answers ExpiredToken." in str(error)


@pytest.mark.parametrize("error_of", [read_error, write_error])
def test_store_that_refuses_one_after_the_other_refuses_all(error_of: type) -> None:
    evidence = Evidence()
    errors = [
        error_of(fault(FaultKind.REFUSED), f"{number}.jpg", evidence)
        for number in range(MOST_REFUSED_IN_A_ROW)
    ]
    assert all(isinstance(error, PictureError) for error in errors[:-1])
    assert isinstance(errors[-1], TryAgainError)


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT"])
def test_full_disk_is_no_results_fault(code: str) -> None:
    error = write_error(fault(FaultKind.REFUSED, code), "a.jpg", Evidence())
    assert isinstance(error, TryAgainError)
    assert "No space left" in str(error)


@pytest.mark.parametrize("kind", FaultKind)
def test_what_the_job_needs_itself_ends_the_attempt_or_the_job(kind: FaultKind) -> None:
    error = job_error(fault(kind), "read", "shard.jsonl.gz")
    wanted = StoreRefusedError if kind is FaultKind.DENIED else TryAgainError
    assert type(error) is wanted
    assert "'shard.jsonl.gz'" in str(error)
