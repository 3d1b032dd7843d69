"""The options of the recipe are its fields: the contract's, all of them, and no others."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from imagemill import cli
from imagemill.errors import UsageError
from imagemill.options.filters import FILTERS
from imagemill.options.recipe import RECIPE
from imagemill.options.recipe_fields import RecipeField, recipe_fields
from imagemill.options.stack import STACK
from imagemill.signatures import on_this_machine
from imagemill_contract.fields import TrueOrFalse
from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.requests.request import RunRequest

COMMANDS: dict[str, Any] = {
    name: command
    for name, command in vars(typer.main.get_command(cli.app))["commands"].items()
    if name in ("run", "plan")
}
FIELDS = {field.name: field for field in recipe_fields()}
# options of these commands that say nothing of the recipe
OTHERS = {item.name for group in (FILTERS, STACK) for item in group.parameters} | {
    *("recipe_file", "photos", "source", "out", "prune", "max_cost", "as_json", "vcpus"),
}


def options_of(command: str) -> dict[str, Any]:
    return {item.name: item for item in COMMANDS[command].params}


def recipe_of(*typed: str) -> Recipe:
    """What `run` makes of options, by its own parser."""
    context = COMMANDS["run"].make_context("run", ["PHOTOS", "OUT", *typed])
    return RECIPE.read({item.name: context.params[item.name] for item in RECIPE.parameters})


@pytest.mark.parametrize("command", ["run", "plan"])
def test_every_recipe_field_is_an_option_and_every_recipe_option_a_field(command: str) -> None:
    names = [item.name for item in fields(Recipe)]
    assert set(options_of(command)) - OTHERS == set(names)
    assert [name for name in options_of(command) if name in FIELDS] == names


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_option_has_the_name_the_text_and_the_rule_of_its_field(
    command: str, field: RecipeField
) -> None:
    option = options_of(command)[field.name]
    flag = "--" + field.name.replace("_", "-")
    (metadata,) = (item.metadata for item in fields(Recipe) if item.name == field.name)
    assert option.opts == [flag]
    assert option.help.startswith(metadata["text"])
    if isinstance(field.rule, TrueOrFalse):
        assert option.secondary_opts == [f"--no-{flag[2:]}"]
        assert option.help == f"{metadata['text']} (default: {'yes' if field.default else 'no'})"
    else:
        assert metadata["rule"].allowed in option.help
        assert f"(default: {field.default}".replace("'", '"') in option.help


@pytest.mark.parametrize("typed", ["512, 64,128", "[64, 512, 128]"])
def test_sizes_are_a_list_of_numbers(typed: str) -> None:
    assert recipe_of("--sizes", typed).sizes == (64, 128, 512)


@pytest.mark.parametrize("typed", ["", "64,x", "64,64", "{}"])
def test_what_is_no_list_of_sizes_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match=r"recipe\.sizes: .* is not allowed; it must be a list"):
        recipe_of("--sizes", typed)


def test_sizes_of_a_stronger_place_replace_the_size_of_a_weaker_one(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text("size = 256\n")
    assert recipe_of("--recipe", str(file), "--sizes", "64,128").sizes == (64, 128)
    file.write_text("sizes = [64, 256]\n")
    assert recipe_of("--recipe", str(file), "--size", "32").in_sizes() == (Recipe(size=32),)
    with pytest.raises(
        UsageError, match=r"recipe\.size: 32 has no effect unless sizes is left out"
    ):
        recipe_of("--size", "32", "--sizes", "64,128")


def test_run_and_plan_have_the_same_filters() -> None:
    names = [item.name for item in FILTERS.parameters]
    for command in COMMANDS:
        own = options_of(command)
        assert [name for name in own if name in names] == names
        assert [own[name].help for name in names] == [
            options_of("run")[name].help for name in names
        ]


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (field.name, flag)
        for field in recipe_fields()
        if isinstance(field.rule, TrueOrFalse)
        for flag in ("--", "--no-")
    ],
)
def test_switch_works_without_a_value_both_ways(name: str, flag: str) -> None:
    beside = [] if name == "label_from_folder" else ["--label-from-folder"]  # `stratify` needs it
    beside += ["--edge", "line_art"]  # `line_art_contrast` needs it
    typed = ["--output", "parquet", *beside, flag + name.replace("_", "-")]
    assert getattr(recipe_of(*typed), name) is (flag == "--")


@pytest.mark.parametrize("value", ["true", "false", "yes"])
def test_switch_takes_no_value(value: str) -> None:
    for typed in (["--shuffle", value], [f"--shuffle={value}"]):
        result = CliRunner().invoke(cli.app, ["run", "PHOTOS", "OUT", *typed])
        assert result.exit_code == 2
        assert "does not take a value" in result.stderr or "extra argument" in result.stderr


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("size", "256", 256),
        ("mode", "border", "border"),
        ("background", "#FF8000", "#ff8000"),
        ("max_pixels", "1000000", 1_000_000),
        ("dataset_name", "true", "true"),  # a name, whatever JSON makes of it
        ("shard_bytes", "1000000", 1_000_000),
        ("shard_bytes", "1GB", 1_000_000_000),
        ("shard_bytes", "256 MB", 256_000_000),
        ("shard_bytes", "64MiB", 64 * 2**20),
        ("shard_bytes", "1.5gib", 3 * 2**29),
        ("split", "train=0.9,validation=0.1", (("train", 0.9), ("validation", 0.1))),
        ("split", " train = 0.5 , test=0.5".strip(), (("test", 0.5), ("train", 0.5))),
        ("split", '{"train": 1}', (("train", 1.0),)),
    ],
)
def test_value_is_read_as_the_field_has_it(field: str, typed: str, value: object) -> None:
    recipe = recipe_of("--output", "parquet", "--" + field.replace("_", "-"), typed)
    assert getattr(recipe, field) == value


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["--size", "0"], "recipe.size: 0 is not allowed; it must be a whole number from 1 to"),
        (["--size", "12.5"], "recipe.size: 12.5 is not allowed"),
        (["--size", "true"], 'recipe.size: "true" is not allowed'),
        (["--shard-bytes", "1XB"], 'recipe.shard_bytes: "1XB" is not allowed; it must be a whole'),
        (["--shard-bytes", "1B"], 'recipe.shard_bytes: "1B" is not allowed'),
        (["--shard-bytes", "9GB"], "or a size such as 256MB or 64MiB."),
        (["--split", "train=0.9"], 'recipe.split: {"train": 0.9} is not allowed'),
        (["--split", "train"], 'recipe.split: "train" is not allowed'),
        (["--split", "train=1,train=1"], 'recipe.split: "train=1,train=1" is not allowed'),
        (["--seed", "7"], "recipe.seed: 7 has no effect unless shuffle"),
        (["--background", "white"], 'recipe.background: "white" is not allowed'),
    ],
)
def test_bad_value_gets_the_sentence_of_the_contract(typed: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        recipe_of(*typed)
    assert sentence in str(raised.value)


def test_options_win_over_the_file_and_are_judged_together_with_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('size = 64\nkeep_grey = true\nshuffle = true\nshard_bytes = "2MB"\n')
    with pytest.raises(UsageError, match="has no effect unless output is one of"):
        recipe_of("--recipe", str(path))
    recipe = recipe_of("--recipe", str(path), "--no-keep-grey", "--output", "tfrecord")
    assert recipe == Recipe(size=64, shuffle=True, shard_bytes=2_000_000, output=Output.TFRECORD)


def test_bad_field_of_the_file_is_named_with_the_file_although_an_option_wins(
    tmp_path: Path,
) -> None:
    path = tmp_path / "recipe.json"
    path.write_text('{"size": "large"}')
    with pytest.raises(UsageError, match=r'recipe\.json\.size: "large" is not allowed'):
        recipe_of("--recipe", str(path), "--size", "32")


def test_command_is_called_with_what_its_groups_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(inspect.signature(on_this_machine.run).parameters)[:3] == [
        "photos",
        "out",
        "recipe_file",
    ]
    seen: dict[str, Any] = {}

    def run_folder(photos: Path, out: Path, recipe: Recipe, fields: Any, **_more: object) -> None:
        seen.update(recipe=recipe, fields=fields)

    monkeypatch.setattr("imagemill.commands.run.run_folder", run_folder)
    typed = ["--keep-grey", "--include", "a*", "--include", "b*", "--max-bytes", "5MB", "--full"]
    result = CliRunner().invoke(cli.app, ["run", "PHOTOS", "OUT", *typed, "--prune"])
    assert result.exit_code == 0, result.output
    assert seen["recipe"] == Recipe(keep_grey=True)
    request = RunRequest.from_document({"source": "s3://b-c/", **seen["fields"]}, allow_files=False)
    assert request.selection.include_globs == ("a*", "b*")
    assert (request.selection.max_bytes, request.full, request.prune) == (5_000_000, True, True)
