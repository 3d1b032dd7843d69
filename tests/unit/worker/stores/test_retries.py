"""One request is tried until it goes well, or until it is known whose fault it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagemill_worker.errors import TryAgainError
from imagemill_worker.stores.evidence import Evidence
from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.retries import with_retries
from imagemill_worker.stores.weather import Weather

PASSING = StoreFault(FaultKind.PASSING, "InternalError", "The store answers InternalError.")
SLOW_DOWN = StoreFault(FaultKind.PASSING, "SlowDown", "The store answers SlowDown.")


class Patient(Weather):
    """Weather whose pauses take no time and are counted."""

    def __init__(self, patience_seconds: float = 600) -> None:
        super().__init__(patience_seconds=patience_seconds)
        self.pauses: list[bool] = []

    def pause(self, tries: int, *, is_fair: bool = False) -> None:
        assert tries == len(self.pauses) + 1
        self.pauses.append(is_fair)


class Action:
    """Raises the given faults one after the other, and then for ever the last, or succeeds."""

    def __init__(self, *faults: StoreFault, for_ever: bool = False) -> None:
        self._faults: Iterator[StoreFault] = iter(faults)
        self._last = faults[-1] if for_ever else None
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        fault = next(self._faults, self._last)
        if fault is not None:
            raise fault
        return "done"


class Prober:
    """A store that answers for other objects."""

    def __init__(self, *, answers: bool, fault: StoreFault = PASSING) -> None:
        self.answers, self.fault, self.asked = answers, fault, list[str]()

    def head(self, key: str) -> None:
        self.asked.append(key)
        if not self.answers:
            raise self.fault


def test_request_that_goes_well_at_once_waits_for_nothing() -> None:
    weather, evidence = Patient(), Evidence()
    assert with_retries(Action(), "a", evidence, weather) == "done"
    assert (weather.pauses, weather.throttled, evidence.known_key) == ([], 0, "a")


@pytest.mark.parametrize("faults", [[PASSING], [SLOW_DOWN] * 4, [PASSING, SLOW_DOWN]])
def test_fault_that_passes_is_waited_out(faults: list[StoreFault]) -> None:
    weather = Patient()
    assert with_retries(Action(*faults), "a", Evidence(), weather) == "done"
    assert len(weather.pauses) == weather.throttled == len(faults)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind is not FaultKind.PASSING])
def test_fault_that_no_try_would_change_is_raised_at_once(kind: FaultKind) -> None:
    action = Action(StoreFault(kind, "x", "x."))
    with pytest.raises(StoreFault) as caught:
        with_retries(action, "a", Evidence(), Patient())
    assert (caught.value.kind, action.count) == (kind, 1)


def test_store_that_answers_nothing_but_faults_ends_the_attempt_when_patience_does() -> None:
    weather = Patient(patience_seconds=0)
    with pytest.raises(TryAgainError, match=r"nothing but faults .* The store answers SlowDown\."):
        with_retries(Action(SLOW_DOWN, for_ever=True), "a", Evidence(), weather)


@pytest.mark.parametrize("fault", [PASSING, SLOW_DOWN])
def test_object_that_fails_while_the_store_answers_for_others_is_its_own_fault(
    fault: StoreFault,
) -> None:
    evidence, prober = Evidence(), Prober(answers=True)
    evidence.add_success("known")
    action = Action(fault, for_ever=True)
    with pytest.raises(StoreFault) as caught:
        with_retries(action, "a", evidence, Patient(), prober)
    assert caught.value is fault
    assert set(prober.asked) == {"known"}
    assert action.count < 40


def test_store_that_says_that_there_is_no_such_object_is_well() -> None:
    gone = StoreFault(FaultKind.GONE, "NoSuchKey", "There is no such object.")
    evidence, prober = Evidence(), Prober(answers=False, fault=gone)
    evidence.add_success("a folder that was listed/")
    with pytest.raises(StoreFault):
        with_retries(Action(PASSING, for_ever=True), "a", evidence, Patient(), prober)


def test_throttling_is_borne_longer_than_other_faults_before_an_object_is_blamed() -> None:
    counts = []
    for fault in (PASSING, SLOW_DOWN):
        evidence, action = Evidence(), Action(fault, for_ever=True)
        evidence.add_success("known")
        with pytest.raises(StoreFault):
            with_retries(action, "a", evidence, Patient(), Prober(answers=True))
        counts.append(action.count)
    assert counts[0] < counts[1]


def test_store_that_answers_for_nobody_blames_no_object() -> None:
    evidence, prober = Evidence(), Prober(answers=False)
    evidence.add_success("known")
    action = Action(*[PASSING] * 50)
    assert with_retries(action, "a", evidence, Patient(), prober) == "done"
    assert action.count == 51
    assert prober.asked


def test_nobody_asks_for_the_object_itself_to_know_whether_others_are_answered() -> None:
    evidence, prober = Evidence(), Prober(answers=True)
    evidence.add_success("a")
    assert with_retries(Action(*[PASSING] * 30), "a", evidence, Patient(), prober) == "done"
    assert prober.asked == []
