"""The config file, and what counts where it, a recipe file and options say different things."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagemill.options.config import CONFIG, FIELDS, config
from imagemill.options.stack import STACK, StackChoice, budget
from tests.helpers.commands import called

FILE = """
stack = "mine"
region = "eu-west-1"
max_cost = 2.5

[recipe]
size = 99
mode = "border"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(CONFIG, raising=False)
    return tmp_path


def choice(**typed: str) -> StackChoice:
    return STACK.read({**dict.fromkeys(("stack", "profile", "region", "endpoint_url")), **typed})


def test_options_win_over_the_file_field_by_field(folder: Path) -> None:
    assert choice() == StackChoice()
    assert (choice().name, budget(None)) == ("imagemill", {})
    (folder / "imagemill.toml").write_text(FILE)
    # a file is read once in a process: this one has another name
    (folder / "other").mkdir()
    (folder / "other/imagemill.toml").write_text(FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "other")
        assert choice() == StackChoice("mine", region="eu-west-1")
        assert choice(region="us-west-2").region == "us-west-2"
        assert (budget(None), budget(7)) == ({"max_cost": 2.5}, {"max_cost": 7})


def test_recipe_check_names_the_place_of_each_value(folder: Path) -> None:
    (folder / "imagemill.toml").write_text(FILE)
    (folder / "recipe.json").write_text(json.dumps({"mode": "keep_ratio", "quality": 50}))
    words = ("recipe", "check", "--recipe", "recipe.json", "--quality", "60")
    document = called(*words, "--json").document
    assert document["size"] == {"value": 99, "source": "imagemill.toml"}
    assert document["mode"] == {"value": "keep_ratio", "source": "recipe.json"}
    assert document["quality"] == {"value": 60, "source": "--quality"}
    assert document["seed"] == {"value": 0, "source": "default"}
    rows = [line.split() for line in called(*words).out.splitlines()]
    assert ["quality", "60", "--quality"] in rows
    assert ["size", "99", "imagemill.toml"] in rows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("size = 3", f'imagemill.toml: unknown field "size"; allowed are {", ".join(FIELDS)}.'),
        ("[recipe]\nsise = 3", 'imagemill.toml.recipe: unknown field "sise"; allowed are size'),
        ("[recipe]\nsize = 0", "imagemill.toml.recipe.size: 0 is not allowed; it must be a"),
        ("recipe = 3", "imagemill.toml.recipe: 3 is not allowed; it must be a table"),
        ("stack = 3", "imagemill.toml.stack: 3 is not allowed; it must be a text."),
        ("stack = ", "imagemill.toml is not TOML: "),
    ],
)
def test_mistake_in_the_file_is_one_sentence(text: str, sentence: str, folder: Path) -> None:
    (folder / "imagemill.toml").write_text(text)
    ended = called("recipe", "check", "--size", "5")
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_file_may_be_named_and_then_must_be_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.toml").write_text(FILE)
    monkeypatch.setenv(CONFIG, "mine.toml")
    assert called("recipe", "check", "--json").document["size"]["value"] == 99
    assert config().source.endswith("mine.toml")
    monkeypatch.setenv(CONFIG, "absent.toml")
    ended = called("recipe", "check")
    assert (ended.code, "absent.toml" in ended.err) == (2, True)
