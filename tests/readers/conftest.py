"""The pictures that all forms are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.readers import put_photos


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with folders of classes."""
    return put_photos(tmp_path_factory.mktemp("photos"))
