"""A hook that no longer fits the emulator stops the engine, and says what has changed."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from imagemill_engine.errors import HookError
from imagemill_engine.hooks import seam

REFUSALS = Path(__file__).parents[1] / "fixtures" / "refusals.py"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def module() -> types.ModuleType:
    one = types.ModuleType("emulator")
    one.add = lambda a, b: a + b  # type: ignore[attr-defined]  # as a module has it
    return one


def test_a_wrapper_gets_the_original(module: types.ModuleType):
    seam.wrap(module, "add", ["a", "b"], lambda original, a, b: original(a, b) * 10)
    assert module.add(1, 2) == 30


def test_a_wrapped_function_may_be_wrapped_again(module: types.ModuleType):
    for _ in range(2):
        seam.wrap(module, "add", ["a", "b"], lambda original, a, b: original(a, b) + 1)
    assert module.add(1, 2) == 5


def test_what_is_missing_is_named(module: types.ModuleType):
    with pytest.raises(HookError, match=r"emulator\.gone does not exist.*1\.5\.33"):
        seam.replace(module, "gone", ["a"], lambda a: a)


def test_another_signature_is_named(module: types.ModuleType):
    with pytest.raises(HookError, match=r"emulator\.add takes \['a', 'b'\], not \['a'\]"):
        seam.replace(module, "add", ["a"], lambda a: a)


def test_the_installed_emulator_is_the_pinned_one():
    assert seam.installed_version() == seam.PINNED_VERSION


def test_every_change_of_what_the_hooks_rely_on_is_refused_by_name():
    done = subprocess.run(
        [sys.executable, str(REFUSALS)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'engine'}"},
    )
    answers = json.loads(done.stdout)
    assert len(answers) > 60
    assert answers.pop() == ["nothing", "", ""]  # unchanged, it is accepted
    unnoticed = [
        (change, name)
        for change, name, sentence in answers
        if name not in sentence or seam.PINNED_VERSION not in sentence
    ]
    assert unnoticed == []
