"""Spellings of members."""

from __future__ import annotations

from imagemill_engine.hooks.camel_case import to_camel, to_pascal

CAMEL = {
    "jobName": "one",
    "parameters": {"ShardName": "Kept"},
    "attempts": [{"exitCode": 0}, {"exitCode": 1}],
}
PASCAL = {
    "JobName": "one",
    "Parameters": {"ShardName": "Kept"},
    "Attempts": [{"ExitCode": 0}, {"ExitCode": 1}],
}


def test_members_change_and_the_keys_of_the_user_stay():
    assert to_pascal(CAMEL) == PASCAL
    assert to_camel(PASCAL) == CAMEL
