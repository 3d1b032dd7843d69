"""One engine for all tests of this folder, and the real template on it, in several ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagemill.local_stack import LocalStack, deployed_on, worker_environment
from imagemill_engine.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine.start(worker_env=worker_environment()) as running:
        yield running


@pytest.fixture(scope="session")
def stack(engine: Engine) -> LocalStack:
    """As `imagemill up` deploys it. Tests keep apart by their prefixes and folders."""
    return deployed_on(engine, {})
