"""The tool's inner rooms: commands that know nothing of each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = sorted((ROOT / "imagemill/commands").glob("[a-z]*.py"))


def imported_modules(source: str) -> set[str]:
    """Full names of what a file imports, wherever in it that stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def other_commands(source: str) -> set[str]:
    return {name for name in imported_modules(source) if name.startswith("imagemill.commands")}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_command_imports_no_other_command(path: Path) -> None:
    assert other_commands(path.read_text()) == set()


@pytest.mark.parametrize(
    "line",
    [
        "from imagemill.commands.run import run_folder",
        "from imagemill.commands import run",
        "def late():\n    import imagemill.commands.plan",
    ],
)
def test_import_of_another_command_is_found(line: str) -> None:
    assert other_commands(line) != set()


def test_there_is_a_module_for_each_verb() -> None:
    assert [path.stem for path in COMMANDS] == ["compact", "plan", "run", "up", "verify"]
