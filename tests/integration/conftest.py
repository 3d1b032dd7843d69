"""One engine for all tests of this folder, and the real template on it, in several ways."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from imagemill.local_stack import LocalStack, deployed_on, worker_environment
from imagemill_engine.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    vcpus = max(2, os.cpu_count() or 1)  # some tests have a job beside one that is stopped
    with Engine.start(vcpus=vcpus, worker_env=worker_environment()) as running:
        yield running


@pytest.fixture(scope="session")
def stack(engine: Engine) -> LocalStack:
    """As `imagemill up` deploys it. Tests keep apart by their prefixes and folders."""
    return deployed_on(engine, {})
