"""In which order the tests run, and which of them must run in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

# What takes milliseconds comes first, so that most mistakes show within seconds.
ROOMS = ("architecture", "unit", "engine", "integration", "deploy", "readers")

# Fixtures that cost seconds, by name: whoever uses one runs in the process that has it.
SHARED = ("engine", "stack", "patient_stack", "attached")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups when it is its turn
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)
    for item in items:
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(f"{room_of(item.path)} {name}"))
                break


def room_of(path: Path) -> str:
    """The folder below `tests` that a test module lies in."""
    return path.relative_to(Path(__file__).parent).parts[0]


def place(item: pytest.Item) -> int:
    """Where a test's room comes; within a room the order stays."""
    return ROOMS.index(room_of(item.path))
