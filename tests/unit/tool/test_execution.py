"""What a person is told of a run that has failed."""

from __future__ import annotations

import json

import pytest

from imagemill.errors import RunFailedError
from imagemill.execution import Execution


class States:
    """A Step Functions whose only execution has failed."""

    def __init__(self, cause: str) -> None:
        self.cause = cause

    def describe_execution(self, **_: object) -> dict[str, str]:
        return {"status": "FAILED", "error": "GenericError", "cause": self.cause}


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (json.dumps({"errorMessage": "No space.\nDebug", "stackTrace": ["a"]}), "No space."),
        ("Too many failures.", "Too many failures."),
        ("[1]", "[1]"),
    ],
)
def test_a_function_s_error_is_shown_without_its_stack(cause: str, shown: str) -> None:
    with pytest.raises(RunFailedError) as raised:
        Execution(States(cause), "arn", "run-1").result()
    assert str(raised.value) == f"GenericError: {shown}"
