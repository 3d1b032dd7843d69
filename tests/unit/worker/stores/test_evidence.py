"""Whose fault is it? By what happens to others meanwhile."""

from __future__ import annotations

import random

from imagemill_worker.stores.evidence import Evidence, Trial


def failed(evidence: Evidence, times: int, others: int = 0, others_failed: int = 0) -> Trial:
    """A trial of so many tries, with others going well or failing between them."""
    trial: Trial | None = None
    for _ in range(times):
        trial = evidence.add_failure(trial)
        for number in range(others):
            evidence.add_success(f"other {number}")
        for _ in range(others_failed):
            evidence.add_failure(None)
    assert trial is not None
    return trial


def test_an_object_that_fails_among_successes_is_blamed_after_some_tries() -> None:
    assert not Evidence().is_own_fault(failed(Evidence(), 3, others=50), throttled=False)
    evidence = Evidence()
    assert evidence.is_own_fault(failed(evidence, 6, others=50), throttled=False)


def test_a_throttled_object_is_borne_longer() -> None:
    evidence = Evidence()
    assert not evidence.is_own_fault(failed(evidence, 8, others=50), throttled=True)
    evidence = Evidence()
    assert evidence.is_own_fault(failed(evidence, 12, others=50), throttled=True)


def test_nothing_is_known_without_others() -> None:
    evidence = Evidence()
    assert not evidence.is_own_fault(failed(evidence, 1000), throttled=False)


def test_while_all_fail_nobody_is_blamed() -> None:
    evidence = Evidence()
    trial = failed(evidence, 100, others_failed=20)
    assert not evidence.is_own_fault(trial, throttled=False)


def test_in_bad_weather_hardly_any_good_object_is_blamed() -> None:
    """Half of all requests fail at random: of 20,000 objects none is blamed."""
    draw = random.Random(7)
    evidence, blamed = Evidence(), 0
    for number in range(20_000):
        trial: Trial | None = None
        while draw.random() < 0.5:
            trial = evidence.add_failure(trial)
            for other in range(3):  # what other threads see meanwhile
                if draw.random() < 0.5:
                    evidence.add_failure(None)
                else:
                    evidence.add_success(f"{number} {other}")
            if evidence.is_own_fault(trial, throttled=False):
                blamed += 1
                break
        evidence.add_success(str(number))
    assert blamed == 0


def test_a_probe_is_needed_where_nobody_else_asks_for_anything() -> None:
    evidence = Evidence()
    assert not evidence.needs_probe(failed(evidence, 5)), "no key is known to go well"
    evidence.add_success("known")
    assert evidence.needs_probe(failed(evidence, 5))
    assert not evidence.needs_probe(failed(evidence, 5, others=50))
