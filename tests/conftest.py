"""In which order the tests run, which of them must run in one process, and at what pace."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing on a machine that has other work to do.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# As the template sets it; handlers read it when they are imported.
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "imagemill/tests"

# A shell starts what runs in the background deaf to Ctrl-C, and processes inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent

# What takes milliseconds comes first, so that most mistakes show within seconds.
ROOMS = ("architecture", "unit", "engine", "integration", "deploy", "readers", "rights")

# Where a fixture that several tests share is an engine, or a stack on it.
ROOMS_OF_ENGINES = ("engine", "integration")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups when it is its turn
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)
    for item in items:
        if group := group_of(item):
            item.add_marker(pytest.mark.xdist_group(group))


def place(item: pytest.Item) -> int:
    """Where a test's room comes; within a room the order stays."""
    return ROOMS.index(room_of(item.path))


def room_of(path: Path) -> str:
    """The folder below `tests` that a test module lies in."""
    return path.relative_to(TESTS).parts[0]


def group_of(item: pytest.Item) -> str | None:
    """The name of those that must run in one process with this test, or None."""
    room, scopes = room_of(item.path), shared_scopes(item)
    if room not in ROOMS_OF_ENGINES or not scopes:
        return None
    return room if "session" in scopes else str(item.path.relative_to(TESTS))


def shared_scopes(item: pytest.Item) -> set[str]:
    """The scopes of our own fixtures that this test shares with others."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = info.name2fixturedefs if info else {}
    ours = [found[-1] for found in definitions.values() if found[-1].baseid.startswith("tests")]
    return {definition.scope for definition in ours} - {"function"}
