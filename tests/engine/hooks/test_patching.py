"""A hook that no longer fits the emulator stops the engine, and says what has changed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from imagemill_engine.errors import HookError
from imagemill_engine.hooks import patching

REFUSALS = Path(__file__).parents[1] / "fixtures" / "refusals.py"
HOOKS = Path(patching.__file__).parent


@pytest.fixture
def module() -> types.ModuleType:
    one = types.ModuleType("emulator")
    one.add = lambda a, b: a + b  # type: ignore[attr-defined]  # as a module has it
    return one


def test_a_wrapper_gets_the_original(module: types.ModuleType):
    patching.wrap(module, "add", ["a", "b"], lambda original, a, b: original(a, b) * 10)
    assert module.add(1, 2) == 30


def test_a_wrapped_function_may_be_wrapped_again(module: types.ModuleType):
    for _ in range(2):
        patching.wrap(module, "add", ["a", "b"], lambda original, a, b: original(a, b) + 1)
    assert module.add(1, 2) == 5


def test_what_is_missing_is_named(module: types.ModuleType):
    with pytest.raises(HookError, match=r"emulator\.gone does not exist.*1\.5\.33"):
        patching.replace(module, "gone", ["a"], lambda a: a)


def test_another_signature_is_named(module: types.ModuleType):
    with pytest.raises(HookError, match=r"emulator\.add takes \['a', 'b'\], not \['a'\]"):
        patching.replace(module, "add", ["a"], lambda a: a)


def test_the_installed_emulator_is_the_pinned_one():
    assert patching.installed_version() == patching.PINNED_VERSION


@pytest.fixture(scope="module")
def refusals(checkout_env: dict[str, str]) -> list[list[str]]:
    """(change, name of what was changed, what the engine said): see fixtures/refusals.py."""
    command = [sys.executable, str(REFUSALS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=checkout_env)
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


def test_every_change_of_what_the_hooks_rely_on_is_refused_by_name(refusals: list[list[str]]):
    *changed, unchanged = refusals
    assert unchanged == ["nothing", "", ""]
    unnoticed = [
        (change, name)
        for change, name, sentence in changed
        if name not in sentence or patching.PINNED_VERSION not in sentence
    ]
    assert unnoticed == []


def names_used(source: str) -> set[str]:
    """What the source takes from modules of the emulator, as in `batch._json`."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for alias in node.names
    }
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }


def test_the_names_that_a_source_uses_are_found():
    source = "from ministack.services import batch as b\nb._jobs.clear()\nother.thing\n"
    assert names_used(source) == {"_jobs"}


def test_everything_that_a_hook_uses_is_looked_for_at_the_start(refusals: list[list[str]]):
    looked_for = {name for _, name, _ in refusals}
    used = {name for path in HOOKS.rglob("*.py") for name in names_used(path.read_text())}
    assert len(used) > 20
    assert used - looked_for == set()
