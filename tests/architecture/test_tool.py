"""The tool's inner rooms: commands that know nothing of each other, and help that is fast."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.cli_page import commands

ROOT = Path(__file__).parents[2]
COMMANDS = sorted((ROOT / "imagemill/commands").rglob("[a-z]*.py"))


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
    assert {path.stem for path in COMMANDS} == {name.partition(" ")[0] for name in commands()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_loads_no_library_that_only_a_run_needs(arguments: list[str]) -> None:
    script = (
        "import json, sys\n"
        "from imagemill import cli\n"
        f"sys.argv = ['imagemill', *{arguments}]\n"
        "try:\n    cli.main()\n"
        "except SystemExit:\n    json.dump(sorted(sys.modules), sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(json.loads(ended.stderr))
    assert {"imagemill.cli", "typer"} <= loaded
    assert not {"boto3", "botocore", "samtranslator", "rich", "imagemill_engine.engine"} & loaded
