"""What tests may import of each other: helpers, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
HELPERS = "tests.helpers"


def imported_modules(source: str) -> Iterator[str]:
    """Every module that is imported, and every name that is taken from one and may be one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def strangers(source: str) -> set[str]:
    """What a file imports of the tests beside their helpers."""
    return {
        name
        for name in imported_modules(source)
        if name.startswith(("tests", ".")) and not name.startswith(f"{HELPERS}.")
    }


def test_no_test_imports_of_another_more_than_helpers() -> None:
    files = sorted(TESTS.rglob("*.py"))
    found = {str(path.relative_to(TESTS)): strangers(path.read_text()) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.integration.test_stack import ended",
        "import tests.unit.worker.test_job",
        "from tests.conftest import place",
        "def late():\n    from tests.unit.worker import test_job",
        "from .test_stack import ended",
        "from . import test_stack",
    ],
)
def test_import_of_another_test_is_found(line: str) -> None:
    assert strangers(line) != set()


def test_import_of_a_helper_is_none() -> None:
    assert strangers("from tests.helpers.jobs import Folder\nimport tests.helpers.runs") == set()
