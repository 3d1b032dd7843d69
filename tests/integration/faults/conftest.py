"""An S3 in memory, and the proxy through which jobs reach it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.faults.memory_s3 import MemoryS3
from tests.helpers.faults.proxy import FaultProxy


@pytest.fixture(scope="module")
def s3() -> Iterator[MemoryS3]:
    with MemoryS3() as running:
        yield running


@pytest.fixture
def proxy(s3: MemoryS3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint_url, seed=7) as running:
        yield running
        assert running.upstream_errors == []
