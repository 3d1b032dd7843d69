from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagemill.local_stack import LocalStack, local_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The real template on the embedded engine, for all tests of this folder."""
    with local_stack() as running:
        yield running
