"""The table of hooks in the engine's README, against the folder and the tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from imagemill_engine.hooks import patching

HOOKS = Path(patching.__file__).parent
README = HOOKS.parent / "README.md"
TESTS = Path(__file__).parent
ROW = re.compile(r"\| `([\w.]+)` \| .+ \| `([\w/]+\.py)::(test_\w+)` \|")


def functions_in(path: Path) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def hooks_in(folder: Path) -> set[str]:
    """The modules of a folder that have an `install`, by their dotted names within it."""
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if "install" in functions_in(path)
    }


def rows_in(text: str) -> list[tuple[str, str, str]]:
    """(hook, file of the test, name of the test) of each row of the table."""
    return [(row[1], row[2], row[3]) for row in map(ROW.fullmatch, text.splitlines()) if row]


def test_a_module_with_an_install_is_a_hook(tmp_path: Path):
    (tmp_path / "states").mkdir()
    (tmp_path / "states" / "new.py").write_text("def install() -> None: ...\n")
    (tmp_path / "helper.py").write_text("def installed() -> None: ...\n")
    assert hooks_in(tmp_path) == {"states.new"}


def test_every_hook_has_its_line_and_every_line_its_hook():
    assert len(hooks_in(HOOKS)) >= 12
    assert sorted(hook for hook, _, _ in rows_in(README.read_text())) == sorted(hooks_in(HOOKS))


@pytest.mark.parametrize(("hook", "file", "test"), rows_in(README.read_text()))
def test_the_test_that_fails_without_a_hook_exists(hook: str, file: str, test: str):
    assert test in functions_in(TESTS / file), hook
