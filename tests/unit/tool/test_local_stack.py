"""What is said when the engine dies, however its user notices."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from imagemill import local_stack
from imagemill.errors import EngineLostError
from imagemill_engine.engine import Engine
from imagemill_engine.errors import EngineDiedError, EngineError

REFUSED = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
CLOSED = ConnectionClosedError(endpoint_url="http://127.0.0.1:1")
DENIED = ClientError({"Error": {"Code": "InternalError", "Message": "oops"}}, "GetObject")
AGAIN = "Run the same command again to go on."


class FakeEngine:
    """An engine whose process has ended with `code`, after `checks` calls that find it alive."""

    vcpus = 1

    def __init__(self, code: int | None, checks: int = 0, log: str = "") -> None:
        self.code, self.checks, self.log = code, checks, log

    def check(self) -> None:
        self.checks -= 1
        if self.code is not None and self.checks < 0:
            raise EngineDiedError(self.code, self.log)


def fails_on(engine: FakeEngine, error: Exception, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a block that raises `error` ends with."""

    @contextmanager
    def start(**_options: Any) -> Iterator[FakeEngine]:
        yield engine

    monkeypatch.setattr(Engine, "start", start)
    monkeypatch.setattr(local_stack, "deployed_on", lambda engine, parameters: None)
    monkeypatch.setattr(local_stack, "DEATH_SECONDS", 0.1)
    monkeypatch.setattr(local_stack, "POLL_SECONDS", 0.0)
    with pytest.raises(EngineLostError) as raised, local_stack.local_stack():
        raise error
    return str(raised.value)


@pytest.mark.parametrize("error", [REFUSED, CLOSED, DENIED, EngineDiedError(-9, "noise")])
def test_death_is_named_whatever_was_raised(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = fails_on(FakeEngine(-signal.SIGKILL, log="noise"), error, monkeypatch)
    assert said == f"The engine was killed by SIGKILL. {AGAIN}"


def test_connection_that_breaks_before_the_process_has_ended_is_its_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = fails_on(FakeEngine(-signal.SIGTERM, checks=3), CLOSED, monkeypatch)
    assert said == f"The engine was killed by SIGTERM. {AGAIN}"


@pytest.mark.parametrize(
    ("code", "log", "sentence"),
    [
        (0, "Ready.", "The engine was ended from outside."),
        (1, "Traceback:\nMemoryError: no", "The engine has ended with code 1: MemoryError: no."),
        (3, "", "The engine has ended with code 3: it said nothing."),
    ],
)
def test_end_by_itself_is_told_with_its_last_words(
    code: int, log: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = fails_on(FakeEngine(code, log=log), EngineDiedError(code, log), monkeypatch)
    assert said == f"{sentence} {AGAIN}"


def test_living_engine_that_answers_an_error_is_not_called_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = fails_on(FakeEngine(None), DENIED, monkeypatch)
    assert said.startswith("The engine does not answer as it should: ")
    assert "oops" in said


def test_engine_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def start(**_options: Any) -> Iterator[None]:
        raise EngineError("Port 80 of 127.0.0.1 cannot be used: Permission denied.")
        yield

    monkeypatch.setattr(Engine, "start", start)
    with pytest.raises(EngineError, match="Port 80"), local_stack.local_stack():
        pass
