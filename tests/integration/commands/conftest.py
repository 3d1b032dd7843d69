"""The commands on a stack that others use as well: each test has a source of its own."""

from __future__ import annotations

import pytest

from imagemill.local_stack import LocalStack
from tests.helpers.commands import Call, Source, called


@pytest.fixture
def call(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command against the stack."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.engine.endpoint_url)
    return called


@pytest.fixture
def source(stack: LocalStack) -> Source:
    return Source.new(stack)
