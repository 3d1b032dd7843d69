"""evaluateOnExit, as AWS Batch documents it."""

from __future__ import annotations

import pytest

from imagemill_engine.batch.retry import RetryStrategy

EXITED = "Essential container in task exited"


def strategy(attempts: int, *rules: dict[str, str]) -> RetryStrategy:
    return RetryStrategy.from_document({"attempts": attempts, "evaluateOnExit": list(rules)})


def test_without_a_strategy_a_job_has_one_attempt():
    assert not RetryStrategy.from_document({}).wants_retry(1, 1, None, EXITED)


def test_the_last_attempt_is_never_followed_by_another():
    retrying = strategy(3, {"onExitCode": "75", "action": "RETRY"})
    assert retrying.wants_retry(2, 75, None, EXITED)
    assert not retrying.wants_retry(3, 75, None, EXITED)


def test_when_no_rule_matches_the_attempt_is_retried():
    assert strategy(2, {"onExitCode": "0", "action": "EXIT"}).wants_retry(1, 9, None, EXITED)


def test_the_first_rule_that_matches_decides():
    both = strategy(
        2, {"onExitCode": "7*", "action": "exit"}, {"onExitCode": "75", "action": "retry"}
    )
    assert not both.wants_retry(1, 75, None, EXITED)


def test_all_patterns_of_a_rule_have_to_match():
    rule = {"onExitCode": "1", "onStatusReason": "Host EC2*", "action": "EXIT"}
    assert strategy(2, rule).wants_retry(1, 1, None, EXITED)
    assert not strategy(2, rule).wants_retry(1, 1, None, "Host EC2 (i-1) terminated.")


@pytest.mark.parametrize("reason", [None, "", "OutOfMemoryError: killed"])
def test_a_star_alone_matches_every_reason_and_none(reason: str | None):
    assert not strategy(2, {"onReason": "*", "action": "EXIT"}).wants_retry(1, 1, reason, EXITED)


def test_only_a_star_at_the_end_is_a_wildcard():
    rule = {"onStatusReason": "*exited", "action": "EXIT"}
    assert strategy(2, rule).wants_retry(1, 1, None, EXITED)


def test_an_attempt_without_an_exit_code_matches_no_number():
    rule = {"onExitCode": "1*", "action": "EXIT"}
    assert strategy(2, rule).wants_retry(1, None, "CannotStartContainerError: x", "failed")
