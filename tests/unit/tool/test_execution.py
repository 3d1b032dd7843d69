"""What a person is told of a run that has failed."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from imagemill.errors import RunFailedError
from imagemill.execution import Execution, wait_for


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


def test_waiting_for_a_file_ends_when_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    writer = threading.Timer(0.1, file.touch)
    writer.start()
    began = time.monotonic()
    wait_for(file, 30)
    assert time.monotonic() - began < 15
    assert file.exists()


def test_waiting_for_a_file_ends_after_its_time(tmp_path: Path) -> None:
    began = time.monotonic()
    wait_for(tmp_path / "report.json", 0.1)
    assert time.monotonic() - began >= 0.1
